"""S3 and compatible stores, through obstore."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import obstore
from obstore.store import S3Store

from escriba.settings import Settings

from .base import StoredObject, UnusableObject
from .client_options import client_options
from .faults import Faults
from .link_patience import Patience
from .objects import Method, ObjectStorage
from .s3_chain import Chain
from .s3_listing import list_any_key

_LONGEST: Final = timedelta(days=7)
_TOKEN_LIFE: Final = timedelta(hours=1)  # AWS's shortest default
_BETWEEN = timedelta(minutes=1)  # between the query for the longest validity and the signing

FAULTS: Final = Faults(
    refused=("InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"),
    credentials="AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    endpoint="AWS_ENDPOINT_URL",
)


class S3Storage(ObjectStorage):
    """A bucket of S3 or of a compatible store. S3 does not need If-None-Match to be signed."""

    longer_life_advice = "sign with a user's own key (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)"

    def __init__(self, bucket: str, prefix: str, settings: Settings) -> None:
        self._bucket, self._prefix, self._settings = bucket, prefix, settings
        self._chain = None if settings.aws_access_key_id.get_secret_value() else Chain()

        def open_store(patience: Patience) -> S3Store:
            options = _options(bucket, settings, self._chain)
            endpoint = settings.aws_endpoint_url
            options |= client_options(endpoint, settings, patience)
            return S3Store(bucket, prefix=prefix or None, **options)

        super().__init__(f"s3://{bucket}/{prefix}", open_store, FAULTS)

    def _list_any_key(self, prefix: str, after: str) -> Iterator[StoredObject | UnusableObject]:
        return list_any_key(self._bucket, self._prefix, prefix, after, self._settings)

    def _sign(self, method: Method, key: str, life: timedelta, headers: Mapping[str, str]) -> str:  # noqa: ARG002  # the host alone is signed
        return obstore.sign(self._store, method, key, life)

    def address_life(self) -> timedelta | None:
        """Seven days with a user's key; otherwise the remaining validity of the credentials.

        A role's credentials have an expiry time. A session token from the settings has none, so
        one hour is assumed.
        """
        return self._longest() if self._chain is None else self._longest() - _BETWEEN

    def _longest(self) -> timedelta:
        if self._chain is not None:
            return min(_LONGEST, self._chain.life(unknown=_TOKEN_LIFE, endless=_LONGEST))
        return _TOKEN_LIFE if self._settings.aws_session_token.get_secret_value() else _LONGEST


def _options(bucket: str, settings: Settings, chain: Chain | None) -> dict[str, Any]:
    options: dict[str, Any] = {"region": settings.aws_region}
    if chain is not None:
        options["credential_provider"] = chain
    else:
        secrets = {
            "access_key_id": settings.aws_access_key_id.get_secret_value(),
            "secret_access_key": settings.aws_secret_access_key.get_secret_value(),
            "session_token": settings.aws_session_token.get_secret_value(),
        }
        options |= {name: value for name, value in secrets.items() if value}
    if settings.aws_endpoint_url:
        options["endpoint"] = settings.aws_endpoint_url
    if settings.aws_virtual_hosts:
        options["virtual_hosted_style_request"] = True
        if settings.aws_endpoint_url:
            options["endpoint"] = _with_bucket(settings.aws_endpoint_url, bucket)
    return options


def _with_bucket(endpoint: str, bucket: str) -> str:
    """The endpoint of one bucket, as https://bucket.host; unchanged if it names the bucket."""
    parts = urlsplit(endpoint)
    if parts.netloc.startswith(f"{bucket}."):
        return endpoint
    return urlunsplit(parts._replace(netloc=f"{bucket}.{parts.netloc}"))
