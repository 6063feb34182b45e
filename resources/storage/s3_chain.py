"""AWS's credential chain (profile, container, instance), by boto3: obstore supports no profiles."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from escriba.settings import SettingsError

from .base import StorageError
from .clock import utc_now

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials


class Chain:
    """Credentials that boto3 finds and refreshes, for obstore's requests and for signing."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        import boto3  # noqa: PLC0415  # 0.5 s, and not needed when the settings hold the keys

        found = boto3.Session().get_credentials()
        if found is None:
            raise SettingsError(
                "S3 needs credentials, and none were found. Set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws, or run on a machine with a role."
            )
        self._credentials, self._clock = found, clock

    def __call__(self) -> dict[str, Any]:
        """Called by obstore for each request: boto3 caches the credentials and their expiry.

        If obstore cached them too, it could sign with older ones than `life` describes.
        """
        frozen = self._frozen()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": self._clock(),
        }

    def life(self, unknown: timedelta, endless: timedelta) -> timedelta:
        """How long the current credentials remain valid.

        unknown: for a session without an expiry time. endless: for a user's key.

        Raises:
            StorageError: they have expired, and no new ones are available.
        """
        token = self._frozen().token
        # boto3 has no public attribute for it
        expiry: datetime | None = getattr(self._credentials, "_expiry_time", None)
        if expiry is not None:
            return expiry - self._clock()
        return unknown if token else endless

    def _frozen(self) -> "ReadOnlyCredentials":
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise StorageError(
                f"AWS did not issue new credentials ({type(error).__name__}). Check the role or "
                "the profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from None
