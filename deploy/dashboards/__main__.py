"""Write deploy/grafana/dashboards: `make dashboards`."""

from deploy.dashboards.files import FOLDER, dashboard_files


def main() -> None:
    """Writes each dashboard to its file."""
    for name, text in dashboard_files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
