"""httpx logs whole URLs, signatures included. This keeps them out of every log."""

import logging


def hide_urls() -> None:
    """From now on, httpx logs only warnings and errors."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
