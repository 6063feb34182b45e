"""The bucket's transcripts, logs and reports for a browser: what the links in the UI lead to.

`python -m pipelines.files_page --port 3001`, as `escriba up` starts it. It reads, and nothing
else; like Dagster's UI it knows no login, so it listens on this machine alone unless told
otherwise (docs/operations.md).
"""

import argparse
import re

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pipelines.settings import load_settings
from resources.storage import open_storage
from resources.storage.base import Storage, StorageError

# what people made for themselves stays out: inbox/, and jobs/ with their requests and claims
_OPEN = re.compile(r"transcripts/.+|digests/[^/]+|work/.+/log\.jsonl")
_REPORT = re.compile(r"reports/[^/]+\.(html|png)")
_KINDS = {"json": "application/json", "vtt": "text/vtt"}
# a transcript may hold any text: no browser shall take it for a page with scripts
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
}
# ours is a page, which draws; in an origin of its own, so that it reaches nothing of the UI's
_DRAWS = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; "
_AS_PAGE = _HEADERS | {"Content-Security-Policy": f"{_DRAWS}img-src data:; sandbox allow-scripts"}
_REPORT_KINDS = {"html": "text/html; charset=utf-8", "png": "image/png"}


def make_app(storage: Storage) -> Starlette:
    """One route: a key of the bucket."""

    async def file(request: Request) -> Response:
        key = request.path_params["key"]
        is_report = _REPORT.fullmatch(key) is not None
        if not (is_report or _OPEN.fullmatch(key)) or ".." in key.split("/"):
            return _sorry(404, f"{key} is nothing that is shown here.")
        try:
            body = await run_in_threadpool(storage.read, key)
        except StorageError as error:
            return _sorry(502, str(error))
        if body is None:
            return _sorry(404, f"{key} is not there (any more).")
        ending = key.rsplit(".", 1)[-1]
        if is_report:
            return Response(body, media_type=_REPORT_KINDS[ending], headers=_AS_PAGE)
        kind = _KINDS.get(ending, "text/plain")
        return Response(body, media_type=f"{kind}; charset=utf-8", headers=_HEADERS)

    return Starlette(routes=[Route("/{key:path}", file, methods=["GET"])])


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
