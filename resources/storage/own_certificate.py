"""Trust in a store whose certificate is of one's own authority (STORAGE_CA_FILE)."""

import hashlib
import os
import ssl
from pathlib import Path
from tempfile import gettempdir

from escriba.settings import Settings, SettingsError

_VARIABLE = "SSL_CERT_FILE"  # of OpenSSL; httpx and local workers read it


def own_certificate(settings: Settings) -> bytes | None:
    """The certificates of STORAGE_CA_FILE; None if it is not set.

    Raises:
        SettingsError: the file cannot be read, or holds no certificate.
    """
    path = settings.storage_ca_file
    if path is None:
        return None
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"STORAGE_CA_FILE: cannot read {path}: {error.strerror}.") from error
    try:
        ssl.create_default_context(cadata=content.decode("ascii"))
    except (ssl.SSLError, UnicodeDecodeError, ValueError):
        raise SettingsError(
            f"STORAGE_CA_FILE: {path} holds no certificates in PEM (-----BEGIN CERTIFICATE-----)."
        ) from None
    return content


def trust_own_certificate(settings: Settings) -> None:
    """Let this process and its children trust it too, beside the usual authorities.

    A file that somebody named in SSL_CERT_FILE is left alone: it should hold both.
    """
    content = own_certificate(settings)
    if content is None or os.environ.get(_VARIABLE):
        return
    import certifi  # noqa: PLC0415

    both = Path(certifi.where()).read_bytes() + b"\n" + content
    os.environ[_VARIABLE] = str(_kept(both))


def _kept(content: bytes) -> Path:
    """A file of this user that nobody else can write."""
    folder = Path(gettempdir()) / f"escriba-certificates-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid != os.getuid() or folder.is_symlink():
        raise SettingsError(f"STORAGE_CA_FILE: {folder} belongs to another user; remove it.")
    path = folder / f"{hashlib.sha256(content).hexdigest()[:16]}.pem"
    if not path.exists():
        draft = path.with_suffix(f".{os.getpid()}")
        draft.write_bytes(content)
        draft.replace(path)
    return path
