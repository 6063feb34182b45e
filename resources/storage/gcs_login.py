"""Google credentials: a service account's key file, or those of Google's credential chain."""

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from escriba.settings import Settings, SettingsError
from resources.google_credentials import VARIABLE, credentials_file, google_credentials

from .base import StorageError
from .gcs_signing import Signer

IAM_URL: Final = "https://iamcredentials.googleapis.com"
_TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Login:
    """The options for obstore, and the signer."""

    options: dict[str, Any]
    signer: Signer


def log_in(settings: Settings, iam_url: str = IAM_URL) -> Login:
    """The credentials that the settings name.

    A key file needs no request; Google's credential chain may ask the metadata server.

    Raises:
        SettingsError: there are no credentials, or the file is not a key file.
    """
    content = credentials_file(settings)
    if content.get("type") == "service_account":
        return Login({"service_account_key": json.dumps(content)}, KeySigner(content))
    credentials = google_credentials(content, "GCS")
    from google.auth.transport.requests import Request  # noqa: PLC0415
    from obstore.auth.google import GoogleCredentialProvider  # noqa: PLC0415

    request = Request()
    provider = GoogleCredentialProvider(credentials, request=request)
    return Login({"credential_provider": provider}, IamSigner(credentials, request, iam_url))


class KeySigner:
    """Signs with the private key of a key file; makes no request."""

    life = timedelta(days=7)

    def __init__(self, content: Mapping[str, str]) -> None:
        try:
            self.email = content["client_email"]
            key = serialization.load_pem_private_key(content["private_key"].encode(), None)
        except (KeyError, ValueError, TypeError):
            key = None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SettingsError(
                f"{VARIABLE}: the file holds no RSA key of a service account. Create a new key."
            )
        self._key = key

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class IamSigner:
    """Signs with Google's signBlob and a key that Google manages: one request per address.

    Google rotates that key, and documents that a signature stays valid for at least 12 hours:
    https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/signBlob
    """

    life = timedelta(hours=12)

    def __init__(self, credentials: Any, request: Any, iam_url: str) -> None:  # noqa: ANN401  # google-auth's
        self._credentials, self._request, self._iam_url = credentials, request, iam_url

    @property
    def email(self) -> str:
        """The service account's address; the metadata server sends it with the first token."""
        if getattr(self._credentials, "service_account_email", None) == "default":
            self._headers()
        found = getattr(self._credentials, "service_account_email", None)
        if not found or found == "default":
            raise StorageError(
                "These Google credentials do not belong to a service account and cannot sign URLs. "
                f"Set {VARIABLE} to a service account's key file, or impersonate one."
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
            why = "a response without a signature"
        else:
            why = f"status {answer.status_code}"
        raise StorageError(
            f"Google's signBlob did not sign a URL for {self.email} ({why}). Give the account the "
            f"role Service Account Token Creator on itself, or set {VARIABLE} to a key file."
        )

    def _headers(self) -> dict[str, str]:
        """The current token; google-auth renews it shortly before it expires."""
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

        headers: dict[str, str] = {}
        try:
            self._credentials.before_request(self._request, "POST", self._iam_url, headers)
        except GoogleAuthError as error:
            raise StorageError(
                f"Google did not issue a token ({type(error).__name__}). Check {VARIABLE} or the "
                "account's role."
            ) from None
        return headers
