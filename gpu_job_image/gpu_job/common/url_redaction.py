"""Keeps signed URLs of other libraries out of a worker's log."""

import logging


def keep_addresses_out() -> None:
    """Httpx logs every URL with its signature at INFO, once some library enables logging.

    `import runpod` does (its rp_upload calls logging.basicConfig at INFO).
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
