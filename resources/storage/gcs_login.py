"""Who we are at Google: a service account's key file, or whatever Google's chain finds."""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from pipelines.settings import Settings, SettingsError

from .base import StorageError
from .gcs_signing import Signer

_VARIABLE = "GOOGLE_APPLICATION_CREDENTIALS"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
IAM_URL: Final = "https://iamcredentials.googleapis.com"
_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Login:
    """What obstore is given, and who signs."""

    options: dict[str, Any]
    signer: Signer


def log_in(settings: Settings, iam_url: str = IAM_URL) -> Login:
    """Asks nobody where a key file is given; else Google's chain may ask the metadata server.

    Raises:
        SettingsError: there are no credentials, or the file is none.
    """
    name = settings.google_application_credentials
    content = _content(Path(name)) if name else {}
    if content.get("type") == "service_account":
        return Login({"service_account_key": json.dumps(content)}, KeySigner(content))
    credentials = _chain(content)
    from google.auth.transport.requests import Request  # noqa: PLC0415
    from obstore.auth.google import GoogleCredentialProvider  # noqa: PLC0415

    request = Request()
    provider = GoogleCredentialProvider(credentials, request=request)
    return Login({"credential_provider": provider}, IamSigner(credentials, request, iam_url))


class KeySigner:
    """Signs with the private key of a key file; nobody else is asked."""

    life = timedelta(days=7)

    def __init__(self, content: Mapping[str, str]) -> None:
        try:
            self.email = content["client_email"]
            key = serialization.load_pem_private_key(content["private_key"].encode(), None)
        except (KeyError, ValueError, TypeError):
            key = None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SettingsError(
                f"{_VARIABLE}: the file holds no RSA key of a service account; make a new one."
            )
        self._key = key

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class IamSigner:
    """Signs by Google's signBlob, with a key that Google keeps: one request for each address.

    Google changes that key, and says that what it signed stays valid for 12 hours at least:
    https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
    """

    life = timedelta(hours=12)

    def __init__(self, credentials: Any, request: Any, iam_url: str) -> None:  # noqa: ANN401  # of google-auth
        self._credentials, self._request, self._iam_url = credentials, request, iam_url

    @property
    def email(self) -> str:
        """Of the service account; the metadata server tells it with the first token."""
        if getattr(self._credentials, "service_account_email", None) == "default":
            self._headers()
        found = getattr(self._credentials, "service_account_email", None)
        if not found or found == "default":
            raise StorageError(
                "these Google credentials are no service account's, and can sign no address: "
                f"set {_VARIABLE} to its key file, or impersonate one."
            )
        return str(found)

    def sign(self, data: bytes) -> bytes:
        import httpx  # noqa: PLC0415

        url = f"{self._iam_url}/v1/projects/-/serviceAccounts/{self.email}:signBlob"
        body = {"payload": b64encode(data).decode()}
        try:
            answer = httpx.post(url, json=body, headers=self._headers(), timeout=_TIMEOUT_SECONDS)
            if answer.is_success:
                return b64decode(answer.json()["signedBlob"])
        except httpx.HTTPError as error:
            why = type(error).__name__
        except (ValueError, KeyError, Base64Error):
            why = "an answer without a signature"
        else:
            why = f"status {answer.status_code}"
        raise StorageError(
            f"Google's signBlob signed no address for {self.email} ({why}): give it the role "
            f"Service Account Token Creator on itself, or set {_VARIABLE} to a key file."
        )

    def _headers(self) -> dict[str, str]:
        """The token of now; google-auth renews it where it is nearly over."""
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

        headers: dict[str, str] = {}
        try:
            self._credentials.before_request(self._request, "POST", self._iam_url, headers)
        except GoogleAuthError as error:
            raise StorageError(
                f"Google gives no token ({type(error).__name__}); check {_VARIABLE} or the role."
            ) from None
        return headers


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{_VARIABLE}: {path} cannot be read ({error.strerror}).") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise SettingsError(f"{_VARIABLE}: {path} is no key file, which is JSON.")
    return content


def _chain(content: dict[str, Any]) -> Any:  # noqa: ANN401  # google-auth's credentials
    """Of a file of another kind (a federated identity, a user), or of the place we run in."""
    import google.auth  # noqa: PLC0415  # 0.2 s, and not needed where a key file is given
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        if content:
            return google.auth.load_credentials_from_dict(content, scopes=[_SCOPE])[0]
        return google.auth.default(scopes=[_SCOPE])[0]
    except (GoogleAuthError, ValueError):
        raise SettingsError(
            f"GCS needs credentials, and none were found that can be used: set {_VARIABLE} to a "
            "service account's key file, or run where a service account is given."
        ) from None
