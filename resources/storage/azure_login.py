"""Azure credentials: the account's key, or an identity from Azure's credential chain."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from xml.etree import ElementTree as ET

from escriba.settings import Settings, SettingsError

from .azure_sas import VERSION, SigningKey
from .base import StorageError

_SCOPE = "https://storage.azure.com/.default"
_TIMEOUT_SECONDS = 20.0
_SKEW: Final = timedelta(minutes=15)  # how far our clock may be ahead of Azure's
_KEY_LIFE: Final = timedelta(days=7) - _SKEW  # Azure's maximum


class AccountKey:
    """The account's own key; makes no request."""

    life = timedelta(days=7)

    def __init__(self, key: str) -> None:
        try:
            secret = b64decode(key, validate=True)
        except Base64Error:
            raise SettingsError(
                "AZURE_STORAGE_KEY is not valid Base64. Copy a key of the storage account."
            ) from None
        self.options: dict[str, Any] = {"account_key": key}
        self._key = SigningKey(secret)

    def signing_key(self, until: datetime) -> SigningKey:  # noqa: ARG002  # it does not expire
        """The key itself."""
        return self._key


class Identity:
    """An identity of the environment, a workload, the machine, or `az login` (azure-identity).

    It signs with a user delegation key, which is valid for seven days:
    https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key
    """

    life = timedelta(days=6)  # one key then signs for a whole day

    def __init__(self, endpoint: str, clock: Callable[[], datetime]) -> None:
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415  # 0.5 s

        self._credential, self._endpoint, self._clock = DefaultAzureCredential(), endpoint, clock
        self._key: tuple[datetime, SigningKey] | None = None
        self.options: dict[str, Any] = {"credential_provider": self}

    def __call__(self) -> dict[str, Any]:
        """Called by obstore, which keeps the token until it expires."""
        token = self._credential.get_token(_SCOPE)
        return {
            "token": token.token,
            "expires_at": datetime.fromtimestamp(token.expires_on, UTC),
        }

    def signing_key(self, until: datetime) -> SigningKey:
        """A key that is valid at least until then; fetches a new one when the last ends too early.

        Raises:
            StorageError: there is no identity, or it may not sign.
        """
        if self._key is None or self._key[0] < until:
            now = self._clock()
            self._key = (now + _KEY_LIFE, self._ask(now - _SKEW, now + _KEY_LIFE))
        return self._key[1]

    def _ask(self, start: datetime, end: datetime) -> SigningKey:
        import httpx  # noqa: PLC0415
        from azure.core.exceptions import AzureError  # noqa: PLC0415

        times = (f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in (start, end))
        body = "<KeyInfo><Start>{}</Start><Expiry>{}</Expiry></KeyInfo>".format(*times)
        url = f"{self._endpoint}/?restype=service&comp=userdelegationkey"
        try:
            token = self._credential.get_token(_SCOPE).token
            headers = {"Authorization": f"Bearer {token}", "x-ms-version": VERSION}
            answer = httpx.post(url, content=body, headers=headers, timeout=_TIMEOUT_SECONDS)
            if answer.is_success:
                return _signing_key(answer.content)
        except (httpx.HTTPError, AzureError, ET.ParseError) as error:
            why = type(error).__name__
        else:
            why = f"status {answer.status_code}"
        raise StorageError(
            f"Azure did not issue a key for signed URLs ({why}). Give the identity the role "
            "Storage Blob Data Contributor on the account, or set AZURE_STORAGE_KEY."
        )


def _signing_key(answer: bytes) -> SigningKey:
    response = ET.fromstring(answer)  # noqa: S314  # from the account we log in to
    names = {
        "skoid": "SignedOid",
        "sktid": "SignedTid",
        "skt": "SignedStart",
        "ske": "SignedExpiry",
        "sks": "SignedService",
        "skv": "SignedVersion",
    }
    identity = {short: response.findtext(name, "") for short, name in names.items()}
    return SigningKey(b64decode(response.findtext("Value", "")), identity)


def log_in(
    settings: Settings, endpoint: str, clock: Callable[[], datetime]
) -> AccountKey | Identity:
    """The credentials that the settings name; makes no request.

    Raises:
        SettingsError: the account or its key is missing.
    """
    if not settings.azure_storage_account:
        raise SettingsError("Azure needs a storage account: set AZURE_STORAGE_ACCOUNT.")
    if settings.azure_login == "identity":
        return Identity(endpoint, clock)
    key = settings.azure_storage_key.get_secret_value()
    if not key:
        raise SettingsError(
            "Azure needs credentials: set AZURE_STORAGE_KEY, or AZURE_LOGIN=identity if an "
            "identity exists (of the machine, AZURE_CLIENT_ID … in the environment, or `az login`)."
        )
    return AccountKey(key)
