"""The metadata services of AWS and Google Cloud, which answer only on their own machines."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

AWS_METADATA = "http://169.254.169.254"  # the same on every instance
GCP_METADATA = "http://metadata.google.internal"
OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404
_TIMEOUT_SECONDS = 2.0


class NoMetadataError(Exception):
    """The metadata service cannot be queried; the message says what to do."""


class AwsMetadata:
    """IMDSv2: a session's token, then paths below `/latest/meta-data/`."""

    _TOKEN_LIFE_SECONDS = 21_600  # the maximum

    def __init__(
        self, base_url: str = AWS_METADATA, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._base_url, self._clock = base_url, clock
        self._token, self._renew_at = "", 0.0

    def ask(self, path: str) -> "httpx.Response":
        """The answer, of any status.

        Raises:
            NoMetadataError: the service does not answer, or gives no token.
        """
        answer = self._asked(path)
        if answer.status_code == UNAUTHORIZED:  # the machine was suspended, and its token expired
            self._token = ""
            answer = self._asked(path)
        return answer

    def text(self, path: str) -> str:
        """The text of a path that exists.

        Raises:
            NoMetadataError: the service does not answer, or not with a text.
        """
        return _text_of(self.ask(path))

    def _asked(self, path: str) -> "httpx.Response":
        headers = {"X-aws-ec2-metadata-token": self._fresh_token()}
        return _ask("GET", f"{self._base_url}/latest/meta-data/{path}", headers)

    def _fresh_token(self) -> str:
        if not self._token or self._clock() >= self._renew_at:
            life = {"X-aws-ec2-metadata-token-ttl-seconds": str(self._TOKEN_LIFE_SECONDS)}
            answer = _ask("PUT", f"{self._base_url}/latest/api/token", life)
            if answer.status_code != OK:
                raise NoMetadataError(
                    f"IMDSv2 gives no token ({answer.status_code}). In a container it needs a "
                    "hop limit of 2: set HttpPutResponseHopLimit in the launch template."
                )
            self._token = answer.text
            self._renew_at = self._clock() + self._TOKEN_LIFE_SECONDS / 2
        return self._token


class GcpMetadata:
    """The metadata server of Compute Engine: paths below `/computeMetadata/v1/instance/`."""

    def __init__(self, base_url: str = GCP_METADATA) -> None:
        self._base_url = base_url

    def text(self, path: str) -> str:
        """The text of a path that exists.

        Raises:
            NoMetadataError: the server does not answer, or not with a text.
        """
        url = f"{self._base_url}/computeMetadata/v1/instance/{path}"
        return _text_of(_ask("GET", url, {"Metadata-Flavor": "Google"}))


def _text_of(answer: "httpx.Response") -> str:
    if answer.status_code != OK:
        raise NoMetadataError(f"the metadata service answers {answer.status_code}")
    return answer.text.strip()


def _ask(method: str, url: str, headers: dict[str, str]) -> "httpx.Response":
    import httpx  # noqa: PLC0415  # a machine without notices does not need it

    try:
        # a proxy must not see the token, and could not reach the service
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_SECONDS) as client:
            return client.request(method, url, headers=headers)
    except httpx.HTTPError as error:
        raise NoMetadataError(
            f"the metadata service does not answer ({type(error).__name__})"
        ) from None
