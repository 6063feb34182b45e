"""How long requests may take, so that 500 MB arrive over 2 Mbit/s and a dead link is noticed.

obstore's default ends every request after 30 s, whatever still flows. Its limit on one read also
counts while a body is sent, so uploads and downloads need limits of their own.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

PART_BYTES: Final = 5 << 20  # S3's smallest part of an upload; a part that arrived is progress
PARTS_AT_ONCE: Final = 2  # of one upload
UPLOADS_AT_ONCE: Final = 2
LARGE_BYTES: Final = 1 << 20  # objects from this size on are uploads
_CONNECT: Final = timedelta(seconds=20)  # behind an upload that fills a slow link
# two uploads of two parts at 2 Mbit/s need 84 s for a part
_PART: Final = timedelta(minutes=10)
_SILENCE: Final = timedelta(seconds=60)  # of a download
_NO_LIMIT: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Patience:
    """The limits of one kind of request. whole: of a request with its answer. read: of silence.

    retry: how long after its start a request that failed is sent again.
    """

    whole: timedelta
    retry: timedelta
    read: timedelta | None = None

    @property
    def client_options(self) -> dict[str, Any]:
        """The same, for obstore."""
        silence = {} if self.read is None else {"read_timeout": self.read}
        return {"timeout": self.whole, "connect_timeout": _CONNECT, **silence}

    @property
    def retry_config(self) -> dict[str, Any]:
        """The same, for obstore, with its own number of tries."""
        return {"max_retries": 10, "retry_timeout": self.retry}


SMALL: Final = Patience(whole=timedelta(seconds=30), retry=timedelta(minutes=3))
UPLOAD: Final = Patience(whole=_PART, retry=timedelta(hours=1))
DOWNLOAD: Final = Patience(whole=_NO_LIMIT, retry=timedelta(minutes=3), read=_SILENCE)
