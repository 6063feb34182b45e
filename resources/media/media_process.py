"""`python -m resources.media.media_process SOCKET REQUEST`: one process that is not forked."""

import socket
import sys

from resources.silero_vad import SileroDetector

from .fork_server import warm_up
from .media_child import serve
from .media_messages import read_request


def main() -> None:
    """Serves the channel whose number is the first argument."""
    folder, limits = read_request(sys.argv[2].encode())
    detector = SileroDetector()
    warm_up(detector)
    serve(socket.socket(fileno=int(sys.argv[1])), folder, limits, detector)


if __name__ == "__main__":
    main()
