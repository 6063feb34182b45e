"""The bucket's transcripts, logs and reports for a browser: lists, and what the UI links to.

`python -m pipelines.files_page --port 3001`, as `escriba up` starts it. It reads, and nothing
else; like Dagster's UI it knows no login, so it listens on this machine alone unless told
otherwise (docs/operations.md).
"""

import argparse
import re
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipelines.files_html import listing
from pipelines.files_listing import TRANSCRIPTS, files, recordings, tenants
from pipelines.settings import load_settings
from resources.storage import open_storage
from resources.storage.base import Storage, StorageError

# what people made for themselves stays out: inbox/, and jobs/ with their requests and claims
_OPEN = re.compile(r"transcripts/.+|digests/[^/]+|work/.+/log\.jsonl")
_REPORT = re.compile(r"reports/(statements/[^/]+/)?[^/]+\.(html|png|csv|xlsx)")
_FOLDERS = ("digests/", "reports/")  # listed, beside transcripts/
_KINDS = {"json": "application/json", "vtt": "text/vtt", "csv": "text/csv"}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_KINDS |= {
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
}
_SAVED = ("csv", "docx", "xlsx")  # a browser shows none of them
# a transcript may hold any text: no browser shall take it for a page with scripts
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
}
# ours is a page, which draws; in an origin of its own, so that it reaches nothing of the UI's
_DRAWS = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
# a list of links: nothing in it runs, and what it links to may be saved
_AS_LIST = _HEADERS | {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
}
_AS_PAGE = _HEADERS | {"Content-Security-Policy": f"{_DRAWS}img-src data:; sandbox allow-scripts"}
_REPORT_KINDS = {"html": "text/html; charset=utf-8", "png": "image/png"}


def make_app(storage: Storage) -> Starlette:
    """One route: a key of the bucket, or a folder of it."""

    async def file(request: Request) -> Response:
        key, after = request.path_params["key"], request.query_params.get("after", "")
        if ".." in key.split("/"):
            return _hidden(key)
        try:
            return await run_in_threadpool(_answer, storage, key, after)
        except StorageError as error:
            return _sorry(502, str(error))

    return Starlette(routes=[Route("/{key:path}", file, methods=["GET"])])


def _answer(storage: Storage, key: str, after: str) -> Response:
    """What lies under a key: a folder is listed, a file is given."""
    if not key or key.endswith("/"):
        return _list(storage, key or TRANSCRIPTS, after, _way_up(key))
    if not (_REPORT.fullmatch(key) or _OPEN.fullmatch(key)):
        return _list(storage, f"{key}/", after, _way_up(key))
    try:
        body = storage.read(key)
    except StorageError:  # a folder in a bucket that is one, too
        if _is_empty(storage, f"{key}/"):
            raise
        body = None
    if body is not None:
        return _file(key, body)
    if _is_empty(storage, f"{key}/"):
        return _sorry(404, f"{key} is not there (any more).")
    return _list(storage, f"{key}/", after, _way_up(key))


def _list(storage: Storage, prefix: str, after: str, root: str) -> Response:
    if not prefix.startswith(TRANSCRIPTS) and prefix not in _FOLDERS:
        return _hidden(prefix)
    if after and not after.startswith(prefix):
        return _sorry(404, f"No page of {prefix} begins there.")
    look = recordings if prefix.startswith(TRANSCRIPTS) else files
    page = look(storage, prefix, after)
    folders = [folder for folder in _FOLDERS if not _is_empty(storage, folder)]
    body = listing(page, tenants(storage), folders, root)
    return HTMLResponse(body, 200 if page.listed else 404, headers=_AS_LIST)


def _way_up(key: str) -> str:
    """From the page of a key to the top: behind a proxy, that is no `/`."""
    return "../" * key.count("/") or "./"


def _is_empty(storage: Storage, folder: str) -> bool:
    return next(iter(storage.list(folder)), None) is None


def _file(key: str, body: bytes) -> Response:
    ending = key.rsplit(".", 1)[-1]
    if _REPORT.fullmatch(key) and ending in _REPORT_KINDS:
        return Response(body, media_type=_REPORT_KINDS[ending], headers=_AS_PAGE)
    kind = _KINDS.get(ending, "text/plain")
    charset = "" if ending in {"docx", "xlsx"} else "; charset=utf-8"
    saved = {"Content-Disposition": _attachment(key)} if ending in _SAVED else {}
    return Response(body, media_type=f"{kind}{charset}", headers=_HEADERS | saved)


def _attachment(key: str) -> str:
    """Saved under the recording's name, or the tenant's and the month (RFC 6266)."""
    if _REPORT.fullmatch(key):
        name = "-".join(key.removeprefix("reports/").removeprefix("statements/").split("/"))
        return f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    name = f"{key.split('/')[-2]}.{key.rsplit('.', 1)[-1]}"
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _hidden(key: str) -> Response:
    return _sorry(404, f"{key} is nothing that is shown here.")


def _sorry(status: int, message: str) -> Response:
    return PlainTextResponse(message + "\n", status_code=status, headers=_HEADERS)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3001)
    arguments = parser.parse_args()
    app = make_app(open_storage(load_settings()))
    uvicorn.run(app, host=arguments.host, port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
