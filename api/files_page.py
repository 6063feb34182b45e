"""Serves the bucket's transcripts, logs and reports to a browser, read-only.

`escriba up` starts it as `python -m api.files_page --port 3001`. The guard stands in front of it,
as in front of Dagster's UI (docs/operations.md).
"""

import argparse
import re
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from escriba.settings import load_settings
from escriba.text_for.visible import visible
from resources.storage import open_storage
from resources.storage.base import Storage, StorageError

from .files_html import listing
from .files_listing import TRANSCRIPTS, files, recordings, tenants
from .guard.guard import Guard
from .guard.rules import rules_of
from .guard.serve import serve
from .served_keys import is_behind_link, is_key

# inbox/ has the originals, and jobs/ has requests and leases: neither is served
_SERVED = re.compile(r"transcripts/.+|digests/[^/]+|work/.+/log\.jsonl")
_REPORT = re.compile(r"reports/(statements/[^/]+/)?[^/]+\.(html|png|csv|xlsx)")
_FOLDERS = ("digests/", "reports/")  # listed in addition to transcripts/
_MEDIA_TYPES = {"json": "application/json", "vtt": "text/vtt", "csv": "text/csv"}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MEDIA_TYPES |= {
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
}
_DOWNLOADS = ("csv", "docx", "xlsx")  # browsers cannot show these
# a transcript may contain any text: the browser must not interpret it as a page with scripts
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
}
# a report runs scripts to draw charts, sandboxed in an origin without access to the UI
_SCRIPTS = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
)
# a listing runs no scripts, and its links may be downloaded
_LISTING_HEADERS = _HEADERS | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}
_REPORT_HEADERS = _HEADERS | {
    "Content-Security-Policy": f"{_SCRIPTS}img-src data:; sandbox allow-scripts"
}
_REPORT_MEDIA_TYPES = {"html": "text/html; charset=utf-8", "png": "image/png"}


def make_app(storage: Storage) -> Starlette:
    """Return an app with one route: a key or a folder of the bucket."""

    async def file(request: Request) -> Response:
        key, after = request.path_params["key"], request.query_params.get("after", "")
        if not is_key(storage, key) or not is_key(storage, after):
            return _not_served(key)
        try:
            return await run_in_threadpool(_answer, storage, key, after)
        except StorageError as error:
            return _error(502, str(error))

    return Starlette(routes=[Route("/{key:path}", file, methods=["GET"])])


def _answer(storage: Storage, key: str, after: str) -> Response:
    """Return a listing for a folder, or the contents of a file."""
    if is_behind_link(storage, key or TRANSCRIPTS):
        return _not_served(key)
    if not key or key.endswith("/"):
        return _list(storage, key or TRANSCRIPTS, after, _path_to_root(key))
    if not (_REPORT.fullmatch(key) or _SERVED.fullmatch(key)):
        return _list(storage, f"{key}/", after, _path_to_root(key))
    try:
        body = storage.read(key)
    except StorageError:  # a folder, in a bucket that is a local folder
        if _is_empty(storage, f"{key}/"):
            raise
        body = None
    if body is not None:
        return _file(key, body)
    if _is_empty(storage, f"{key}/"):
        return _error(404, f"{key} does not exist (any more).")
    return _list(storage, f"{key}/", after, _path_to_root(key))


def _list(storage: Storage, prefix: str, after: str, root: str) -> Response:
    if not prefix.startswith(TRANSCRIPTS) and prefix not in _FOLDERS:
        return _not_served(prefix)
    if after and not after.startswith(prefix):
        return _error(404, f"No page of {prefix} starts there.")
    list_page = recordings if prefix.startswith(TRANSCRIPTS) else files
    page = list_page(storage, prefix, after)
    folders = [folder for folder in _FOLDERS if not _is_empty(storage, folder)]
    body = listing(page, tenants(storage), folders, root)
    return HTMLResponse(body, 200 if page.listed else 404, headers=_LISTING_HEADERS)


def _path_to_root(key: str) -> str:
    """Return the relative path from a key's page to the top; behind a proxy that is not `/`."""
    return "../" * key.count("/") or "./"


def _is_empty(storage: Storage, folder: str) -> bool:
    return next(iter(storage.list(folder)), None) is None


def _file(key: str, body: bytes) -> Response:
    suffix = key.rsplit(".", 1)[-1]
    if _REPORT.fullmatch(key) and suffix in _REPORT_MEDIA_TYPES:
        return Response(body, media_type=_REPORT_MEDIA_TYPES[suffix], headers=_REPORT_HEADERS)
    kind = _MEDIA_TYPES.get(suffix, "text/plain")
    charset = "" if suffix in {"docx", "xlsx"} else "; charset=utf-8"
    download = {"Content-Disposition": _attachment(key)} if suffix in _DOWNLOADS else {}
    return Response(body, media_type=f"{kind}{charset}", headers=_HEADERS | download)


def _attachment(key: str) -> str:
    """Return the header that names a download after its recording or report (RFC 6266)."""
    if _REPORT.fullmatch(key):
        name = "-".join(key.removeprefix("reports/").removeprefix("statements/").split("/"))
        return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    name = f"{key.split('/')[-2]}.{key.rsplit('.', 1)[-1]}"
    return f"attachment; filename*=UTF-8''{quote(visible(name), safe='')}"


def _not_served(key: str) -> Response:
    return _error(404, f"{key} is not served here.")


def _error(status: int, message: str) -> Response:
    return PlainTextResponse(visible(message) + "\n", status_code=status, headers=_HEADERS)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
    parser.add_argument("--port", type=int, default=3001, help="Port to listen on.")
    arguments = parser.parse_args()
    settings = load_settings()
    app = Guard(make_app(open_storage(settings)), rules_of(settings))
    serve(app, arguments.host, arguments.port)


if __name__ == "__main__":
    main()
