"""AWS's own chain of credentials: profile, container, instance; obstore alone knows no profiles."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pipelines.settings import SettingsError

from .base import StorageError
from .clock import utc_now


class Chain:
    """What boto3 finds, kept fresh by boto3, for obstore's requests and for signing."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        import boto3  # noqa: PLC0415  # 0.5 s, and not needed where the keys are settings

        found = boto3.Session().get_credentials()
        if found is None:
            raise SettingsError(
                "S3 needs credentials, and none were found: set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, or a profile in ~/.aws, or run where a role gives them."
            )
        self._credentials, self._clock = found, clock

    def __call__(self) -> dict[str, Any]:
        """For obstore, which asks anew each time: boto3 keeps them, and knows when they end.

        Otherwise an address might be signed with older ones than those `life` tells of.
        """
        frozen = self._frozen()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": self._clock(),
        }

    def life(self, unknown: timedelta, endless: timedelta) -> timedelta:
        """How long the credentials that sign now are good for.

        `unknown`: of a session that does not tell its end; `endless`: of a user's key.

        Raises:
            StorageError: they are over, and no new ones are to be had.
        """
        token = self._frozen().token
        # boto3 has no public name for it
        expiry: datetime | None = getattr(self._credentials, "_expiry_time", None)
        if expiry is not None:
            return expiry - self._clock()
        return unknown if token else endless

    def _frozen(self) -> Any:  # noqa: ANN401  # botocore's named tuple
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        try:
            return self._credentials.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            raise StorageError(
                f"AWS gives no new credentials ({type(error).__name__}); check the role or the "
                "profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ) from None
