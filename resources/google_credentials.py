"""Google's credentials: of a file, or of the machine, as google-auth finds them."""

import json
from pathlib import Path
from typing import Any, Final

from escriba.settings import Settings, SettingsError

VARIABLE: Final = "GOOGLE_APPLICATION_CREDENTIALS"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def credentials_file(settings: Settings) -> dict[str, Any]:
    """The content of the file that the settings name; empty if none is named.

    Raises:
        SettingsError: it cannot be read, or is not a JSON object.
    """
    name = settings.google_application_credentials
    if not name:
        return {}
    path = Path(name)
    try:
        content = json.loads(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{VARIABLE}: {path} cannot be read ({error.strerror}).") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise SettingsError(f"{VARIABLE}: {path} is not a key file: it is not a JSON object.")
    return content


def google_credentials(content: dict[str, Any], needed_by: str) -> Any:  # noqa: ANN401  # google-auth's
    """Credentials from such a file, or from the environment if it is empty.

    Any kind of file works: a key, federated identity, impersonation, or a user. The environment may
    ask the metadata server.

    Raises:
        SettingsError: there are none.
    """
    import google.auth  # noqa: PLC0415  # 0.2 s, and often not needed
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415

    try:
        if content:
            load = google.auth.load_credentials_from_dict
            return load(content, scopes=[_SCOPE])[0]  # type: ignore[no-untyped-call]  # not annotated
        return google.auth.default(scopes=[_SCOPE])[0]
    except (GoogleAuthError, ValueError):
        raise SettingsError(
            f"{needed_by} needs credentials, and no usable ones were found. Set {VARIABLE} to a "
            "service account's key file, or run on a machine with a service account."
        ) from None
