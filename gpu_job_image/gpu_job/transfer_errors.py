"""What went wrong with a transfer, from a response or from an error of httpx; holds no address."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

NOT_FOUND = 404
# with status 400: GCS, and S3 after the signer's session ended; the second: rclone
_EXPIRED = (b"ExpiredToken", b"<Code>AccessDenied</Code>")
TIMEOUT_SECONDS = 20.0  # a heartbeat must fail well before the fence of 120 s


class TransferError(Exception):
    """An object could not be read or written.

    `expired`: its address is no longer valid. `unreachable`: a retry may succeed.
    """

    def __init__(self, what: str, *, expired: bool = False, unreachable: bool = False) -> None:
        super().__init__(what)
        self.expired, self.unreachable = expired, unreachable


def unreachable(error: Exception) -> TransferError:
    """The error for a store that does not answer; holds no address."""
    return TransferError(f"the store does not answer: {type(error).__name__}", unreachable=True)


def expect_success(response: "httpx.Response") -> None:
    """Raise TransferError for a response that is not a success."""
    if response.status_code == NOT_FOUND:
        raise TransferError("the object is no longer in the bucket")
    if not response.is_success:
        said = _start_of(response)
        expired = response.status_code in (401, 403) or any(code in said for code in _EXPIRED)
        raise TransferError(
            f"the store answered {response.status_code}",
            expired=expired,
            unreachable=is_busy(response),
        )


def is_busy(response: "httpx.Response") -> bool:
    """Whether a retry may succeed; GCS answers 429 to frequent writes of one object."""
    return response.is_server_error or response.status_code in (408, 429)


def _start_of(response: "httpx.Response") -> bytes:
    """The first bytes of a response, which may be streamed and long."""
    import httpx  # noqa: PLC0415

    try:
        return next(response.iter_bytes(4096), b"") if not response.is_closed else response.content
    except httpx.HTTPError:
        return b""
