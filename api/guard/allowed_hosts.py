"""Which names the pages answer to.

A page of a stranger can give its own name the address 127.0.0.1 (DNS rebinding) and is then, for
the browser, of the same origin as ours. Its requests still carry its own name.
"""

import re
from collections.abc import Container

from escriba.settings.field_types import is_address

_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", re.IGNORECASE)


def is_allowed_host(host: str, names: Container[str]) -> bool:
    """Return whether a Host header is localhost, an IP address, or one of the names.

    No name can be rebound to a page whose host is an address. The port does not matter: it
    differs behind `ssh -L`.
    """
    name = host_name(host)
    return name == "localhost" or name in names or is_address(name)


def host_name(host: str) -> str:
    """Return the name or address of `name:port` in lower case; empty if it is malformed."""
    found = _HOST.fullmatch(host)
    return found[1].lower().strip("[]") if found else ""
