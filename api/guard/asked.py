"""What the guard looks at in a request."""

from dataclasses import dataclass
from functools import cached_property

from starlette.requests import HTTPConnection
from starlette.types import Scope

_CHANGE_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Asked:
    """A request or the opening of a websocket. Header values are empty where they are missing."""

    scope: Scope

    @property
    def is_websocket(self) -> bool:
        """A websocket can do all that Dagster's API can do."""
        return bool(self.scope["type"] == "websocket")

    @property
    def method(self) -> str:
        """GET for a websocket."""
        return str(self.scope.get("method", "GET"))

    @property
    def may_change(self) -> bool:
        """Whether what is asked for may change something."""
        return self.is_websocket or self.method not in _CHANGE_NOTHING

    @property
    def path(self) -> str:
        """The path, decoded, without a slash at its end."""
        return str(self.scope["path"]).rstrip("/") or "/"

    @property
    def peer(self) -> str:
        """The address that the connection comes from; empty for a Unix socket."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @cached_property
    def connection(self) -> HTTPConnection:
        """The same request with parsed headers and cookies."""
        return HTTPConnection(self.scope)

    def header(self, name: str) -> str:
        """The value of a header; of several, joined by commas, so that none can hide another."""
        return ",".join(self.connection.headers.getlist(name)).strip()

    @property
    def is_https(self) -> bool:
        """Whether the browser speaks HTTPS, perhaps to a proxy that speaks HTTP to us."""
        return self.scope.get("scheme") == "https" or self.header("origin").startswith("https://")

    @property
    def is_page(self) -> bool:
        """Whether a person opens a page, in a window or a tab of its own."""
        return self.method == "GET" and "text/html" in self.header("accept")
