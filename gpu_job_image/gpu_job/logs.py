"""What other people's libraries may say on a worker's log."""

import logging


def keep_addresses_out() -> None:
    """Httpx tells every URL at INFO, signature and all, once some library turns logging on.

    `import runpod` does (its rp_upload calls logging.basicConfig at INFO).
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
