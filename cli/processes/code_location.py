"""How the code location is started, and how daemon and UI are told where it is."""

import json
import sys
from pathlib import Path
from typing import Final

from escriba.settings import HOUSE

# by default it is the socket's path, which differs at each start: sensors remember themselves by it
_LOCATION: Final = "escriba"


def code_command(socket: Path) -> list[str]:
    """The command line of the code location, which listens on a socket."""
    return [
        *(sys.executable, "-m", "dagster", "code-server", "start", "-s", str(socket)),
        *("-m", "pipelines.definitions", "-d", str(HOUSE), "--location-name", _LOCATION),
        *("--log-level", "warning"),
    ]


def write_workspace(path: Path, socket: Path) -> Path:
    """Write the workspace that daemon and UI are given; returns its path."""
    server = {"socket": str(socket), "location_name": _LOCATION}
    path.write_text(json.dumps({"load_from": [{"grpc_server": server}]}))  # JSON is YAML
    return path
