"""What other sites' pages may make a browser do with our pages: open them, and nothing else."""

from urllib.parse import urlsplit

from .asked import Asked

_OURS = frozenset({"same-origin", "none"})  # none: typed, or opened from another program
_GRAPHQL = "/graphql"
_GRAPHQL_TYPES = frozenset({"application/json", "application/graphql"})
# what a form can send to any site, without asking first
_FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})


def cross_site_refusal(asked: Asked) -> str:
    """Return why a request is refused, or nothing.

    Every browser names the origin of what may change something. Those of today also say which
    site asks, on loopback and over HTTPS. Programs say neither, and are no way in for a page.
    """
    origin, site = asked.header("origin"), asked.header("sec-fetch-site")
    if origin and not _is_own(origin, asked.header("host")):
        return f"A page of {origin!r} may not use Escriba."
    if site and site not in _OURS and (asked.may_change or not _opens_a_page(asked)):
        return "A page of another site may only link to Escriba's pages."
    if asked.may_change and not asked.is_websocket and not (origin or site):
        return "" if _type(asked) not in _FORM_TYPES else "Send JSON, as application/json."
    return ""


def graphql_refusal(asked: Asked) -> str:
    """Return why a request to Dagster's API is refused, or nothing.

    Dagster also takes mutations in the address, which an image in a text can ask for.
    """
    if asked.path != _GRAPHQL or asked.is_websocket:
        return ""
    if asked.is_page and not asked.scope.get("query_string"):
        return ""  # the playground
    if asked.method == "POST" and _type(asked) in _GRAPHQL_TYPES:
        return ""
    return "Send queries to /graphql by POST, as application/json."


def _is_own(origin: str, host: str) -> bool:
    """The scheme does not matter: a proxy in front may speak HTTPS."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    own = f"{parts.scheme}://{parts.netloc}" == origin and parts.scheme in {"http", "https"}
    return own and bool(host) and parts.netloc.lower() == host.lower()


def _opens_a_page(asked: Asked) -> bool:
    """Whether it is a link that somebody follows, not a frame and not an image."""
    is_link = asked.header("sec-fetch-mode") == "navigate"
    return is_link and asked.header("sec-fetch-dest") in {"document", ""}


def _type(asked: Asked) -> str:
    return asked.header("content-type").partition(";")[0].strip().lower()
