"""What httpx tells of its requests: whole addresses, with their signatures. No log has them."""

import logging


def hide_addresses() -> None:
    """From here on httpx tells of nothing below a warning."""
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
