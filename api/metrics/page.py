"""The page /metrics, and who may read it.

With METRICS_TOKEN, whoever sends it as `Authorization: Bearer`; without, this machine alone, and
not a proxy on this machine that speaks for others.
"""

import hmac
from ipaddress import ip_address

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from api.guard.allowed_hosts import is_allowed_host

_NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_OF_A_PROXY = ("forwarded", "x-forwarded-for")


def make_app(registry: CollectorRegistry, token: str = "") -> Starlette:
    """An app with one route. token: empty: only this machine may read it."""

    async def metrics(request: Request) -> Response:
        if refusal := _refusal(request, token):
            return refusal
        return await run_in_threadpool(_answer, registry, request.headers.get("accept", ""))

    return Starlette(routes=[Route("/metrics", metrics, methods=["GET"])])


def _answer(registry: CollectorRegistry, accept: str) -> Response:
    encode, kind = choose_encoder(accept)
    return Response(encode(registry), headers=_NO_STORE | {"Content-Type": kind})


def _refusal(request: Request, token: str) -> Response | None:
    if token:
        sent = request.headers.get("authorization", "").encode()
        is_right = hmac.compare_digest(sent, f"Bearer {token}".encode())
        return None if is_right else _plain(401, "Send METRICS_TOKEN as a bearer token.")
    if not is_allowed_host(request.headers.get("host", ""), frozenset()):
        return _plain(421, "Without METRICS_TOKEN, the metrics have no name but localhost.")
    if not _is_this_machine(request):
        return _plain(403, "Without METRICS_TOKEN, the metrics are for this machine alone.")
    return None


def _is_this_machine(request: Request) -> bool:
    speaks_for_others = any(name in request.headers for name in _OF_A_PROXY)
    try:
        is_loopback = ip_address(request.client.host if request.client else "").is_loopback
    except ValueError:
        return False
    return is_loopback and not speaks_for_others


def _plain(status: int, sentence: str) -> Response:
    headers = _NO_STORE | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})  # noqa: PLR2004
    return PlainTextResponse(f"{sentence}\n", status, headers)
