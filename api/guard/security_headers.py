"""Headers that tell browsers what no page needs from ours."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

_SET = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# beside the policy of the page itself, which may only be stricter; no script-src, since Dagster
# gives each of its scripts a nonce
_POLICY = (
    "frame-ancestors 'self'; base-uri 'self'; form-action 'self'; object-src 'none'; "
    "img-src 'self' data: blob:; connect-src 'self'"
)


def with_security_headers(send: Send) -> Send:
    """Return a `send` that adds the headers to each response."""

    async def send_guarded(message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.accept"}:
            _add(MutableHeaders(scope=message))
        await send(message)

    return send_guarded


def _add(headers: MutableHeaders) -> None:
    for name in [name for name in headers if name.lower().startswith("access-control-")]:
        del headers[name]
    headers.update(_SET)
    headers.append("Content-Security-Policy", _POLICY)
