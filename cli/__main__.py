"""`python -m cli` runs `escriba`."""

from cli import main

if __name__ == "__main__":
    main()
