"""The guard in front of Dagster's UI and of the files page: nobody else's page gets past it.

It is ASGI middleware. Dagster's own application lives behind it in the same process and listens
nowhere, so there is no way around.
"""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, quote, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from escriba.text_for.visible import visible

from .allowed_hosts import is_allowed_host
from .asked import Asked
from .cross_site import cross_site_refusal, graphql_refusal
from .failure_delay import FailureDelay, TooManyGuessesError
from .login_page import LOGIN_PATH, local_path, login_page
from .logins import COOKIE, LIFE_SECONDS, basic_password
from .rules import GuardRules
from .security_headers import with_security_headers

_MOST_LOGIN_BYTES = 10_000
_POLICY_VIOLATION = 1008
_LATER = "Too many wrong passwords. Try again in a minute."


class Guard:
    """Lets requests through that come from our own pages, from programs, or from a link."""

    def __init__(
        self,
        app: ASGIApp,
        rules: GuardRules,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app, self._rules = app, rules
        self._guesses = FailureDelay(sleep)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a websocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        send = with_security_headers(send)
        answer = await self._own_answer(Asked(scope), receive)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})  # 403 to a browser
        else:
            await answer(scope, receive, send)

    async def _own_answer(self, asked: Asked, receive: Receive) -> Response | None:
        """Return what the guard answers itself; None: the page behind it answers."""
        host = asked.header("host")
        if not is_allowed_host(host, self._rules.hosts):
            return _plain(421, f"Escriba is not served as {host!r}. If that is its name, add it to "
                          "UI_HOSTS.")  # fmt: skip
        if refusal := cross_site_refusal(asked):
            return _plain(403, refusal)
        if refusal := graphql_refusal(asked):
            return _plain(405, refusal)
        if self._rules.logins is not None and asked.path == LOGIN_PATH and not asked.is_websocket:
            return await self._log_in(asked, receive)
        return await self._stranger_answer(asked)

    async def _stranger_answer(self, asked: Asked) -> Response | None:
        try:
            if not self._rules.needs_login or await self._is_known(asked):
                return None
        except TooManyGuessesError:
            return _plain(429, _LATER)
        if self._rules.logins is None:
            return _plain(401, "Open these pages through the proxy that logs you in.")
        if asked.is_page:
            return RedirectResponse(_to_login(asked), 303)
        return _plain(401, "Log in first: open these pages in a browser.")

    async def _is_known(self, asked: Asked) -> bool:
        """Whether a proxy names the user, or the request has a cookie of ours or the password."""
        if self._comes_through_proxy(asked):
            return True
        if self._rules.logins is None:
            return False
        if self._rules.logins.is_cookie(asked.connection.cookies.get(COOKIE, "")):
            return True
        password = basic_password(asked.header("authorization"))
        return password is not None and await self._is_password(password, asked)

    def _comes_through_proxy(self, asked: Asked) -> bool:
        header = self._rules.user_header
        named = bool(header and asked.header(header))
        return named and self._rules.is_proxy(asked.peer)

    async def _log_in(self, asked: Asked, receive: Receive) -> Response:
        following = asked.connection.query_params.get("next", "/")
        if asked.method != "POST":
            return login_page(following)
        form = await _form(Request(asked.scope, receive))
        following = local_path(form.get("next", "/"))
        try:
            if not await self._is_password(form.get("password", ""), asked):
                return login_page(following, "This password is wrong.", 401)
        except TooManyGuessesError:
            return login_page(following, _LATER, 429)
        answer = RedirectResponse(f"..{following}", 303)
        if self._rules.logins is not None:
            secure = asked.is_https
            cookie = self._rules.logins.cookie()
            answer.set_cookie(COOKIE, cookie, LIFE_SECONDS, httponly=True, secure=secure)
        return answer

    async def _is_password(self, text: str, asked: Asked) -> bool:
        logins = self._rules.logins
        if logins is None:
            return False
        client = self._rules.client_of(asked)
        return await self._guesses.check(lambda: logins.is_password(text), client)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a small form, each once."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_LOGIN_BYTES:
            return {}
    fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _to_login(asked: Asked) -> str:
    """Return the relative address of the login page: a proxy may serve all below some path."""
    path = quote(str(asked.scope["path"]))
    query = bytes(asked.scope.get("query_string", b"")).decode("ascii", "replace")
    following = f"{path}?{query}" if query else path
    up = "../" * (path.count("/") - 1)
    return f"{up}{LOGIN_PATH[1:]}?{urlencode({'next': following})}"


def _plain(status: int, sentence: str) -> Response:
    return PlainTextResponse(f"{visible(sentence)}\n", status, {"Cache-Control": "no-store"})
