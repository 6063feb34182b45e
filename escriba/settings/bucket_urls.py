"""What STORAGE_URL and GOOGLE_APPLICATION_CREDENTIALS may be: never the secret itself."""

from typing import Final
from urllib.parse import urlsplit

# by scheme: the settings of the store's credentials
CREDENTIALS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY",
}
_CONTENT: Final = ("{", "[", "eyJ", "-----BEGIN", "\ufeff")  # JSON, also in Base64, or a PEM key


def check_bucket_url(url: str) -> str:
    """Refuse a URL with credentials or a signature; the message never shows it.

    Raises:
        ValueError: says which settings the credentials belong in.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("it is not a URL: write it as s3://bucket/prefix") from None
    settings = CREDENTIALS.get(parts.scheme, "the store's own settings")
    if "@" in parts.netloc:
        raise ValueError(f"remove the credentials from the URL and set {settings}")
    if parts.scheme == "file" and (parts.query or parts.fragment):
        raise ValueError("in the path of a folder, write '#' as %23 and '?' as %3F")
    if parts.query or parts.fragment:
        raise ValueError(
            "remove everything from the '?' or '#' on, which may be a signature: write "
            f"s3://bucket/prefix, gs://bucket/prefix or az://container/prefix, and set {settings}"
        )
    return url


def check_key_file(path: str) -> str:
    """Refuse the content of a key file in place of its path; the message never shows it.

    Raises:
        ValueError: says what to do.
    """
    if path.strip().startswith(_CONTENT):
        raise ValueError(
            "it is the content of a key file: write the content into a file that only you can "
            "read, and set this to the path of that file"
        )
    return path
