"""Who gets past the guard, and who does not."""

import asyncio
import base64
import stat
from ipaddress import ip_network
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api.guard.asked import Asked
from api.guard.failure_delay import FailureDelay, TooManyGuessesError
from api.guard.guard import Guard
from api.guard.login_page import LOGIN_PATH, local_path
from api.guard.logins import COOKIE, LIFE_SECONDS, Logins, login_key
from api.guard.rules import GuardRules

PASSWORD = "correct horse battery"
OURS = "http://localhost:3000"
SOCKET = "ws://localhost:3000/graphql"
JSON = {"content-type": "application/json"}
LINK = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "accept": "text/html"}
PICTURE = {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image", "accept": "image/*,*/*"}


def application(done):
    """Something that remembers what it was asked to do."""

    async def act(request):
        done.append(f"{request.method} {request.url.path}")
        return PlainTextResponse("done", headers={"Access-Control-Allow-Origin": "*"})

    async def talk(websocket):
        await websocket.accept()
        done.append("websocket")
        await websocket.send_text("hello")
        await websocket.close()

    methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
    routes = [WebSocketRoute("/graphql", talk), Route("/{path:path}", act, methods=methods)]
    return Starlette(routes=routes)


@pytest.fixture
def slept():
    return []


@pytest.fixture
def done():
    return []


@pytest.fixture
def browser(done, slept):
    """Makes clients of guards with these rules."""

    async def sleep(seconds):
        slept.append(seconds)

    def make(peer="127.0.0.1", base=OURS, **rules):
        guard = Guard(application(done), GuardRules(**rules), sleep)
        return TestClient(guard, base, client=(peer, 5), follow_redirects=False)

    return make


HOSTS = [
    ("localhost:3000", 200),
    ("127.0.0.1", 200),
    ("[::1]:3000", 200),
    ("192.168.1.7:3000", 200),
    ("Escriba.Example.com", 200),
    ("evil.example:3000", 421),
    ("localhost.evil.example", 421),
    ("127.0.0.1.nip.io", 421),
    ("localhost.", 421),
    ("evil.example@localhost", 421),
    ("localhost:3000:1", 421),
    ("localhost, evil.example", 421),
    ("", 421),
]


def test_names_that_are_not_ours_are_refused(browser):
    client = browser(hosts=frozenset({"escriba.example.com"}))
    for host, status in HOSTS:
        answer = client.get("/", headers={"host": host})
        assert answer.status_code == status, host
        assert status == 200 or "UI_HOSTS" in answer.text


OTHERS = ["http://evil.example", "http://localhost:8000", "http://127.0.0.1:3000", "null",
          "http://localhost:3000.evil.example", "http://localhost:3000@evil.example", "file://",
          "chrome-extension://localhost:3000"]  # fmt: skip
# method, path, headers, expected status
REQUESTS = [
    # our own pages
    ("POST", "/graphql", JSON | {"origin": OURS, "sec-fetch-site": "same-origin"}, 200),
    ("POST", "/graphql", JSON | {"origin": "https://localhost:3000"}, 200),  # a proxy with TLS
    ("POST", "/report_asset_check/a", {"origin": OURS, "sec-fetch-site": "same-origin"}, 200),
    ("GET", "/assets/a", {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}, 200),
    ("GET", "/graphql", LINK | {"sec-fetch-site": "none"}, 200),  # the playground
    # programs
    ("POST", "/graphql", JSON, 200),
    ("POST", "/graphql", {"content-type": "application/json; charset=utf-8"}, 200),
    ("POST", "/report_asset_check/a", JSON, 200),
    ("GET", "/server_info", {}, 200),
    # links of others
    ("GET", "/runs/1", LINK | {"sec-fetch-site": "cross-site"}, 200),
    ("GET", "/runs/1", LINK | {"sec-fetch-site": "same-site"}, 200),
    ("GET", "/runs/1", LINK | {"sec-fetch-site": "none"}, 200),
    # mutations in an address, also from a picture in our own page
    ("GET", "/graphql?query=mutation{x}", PICTURE | {"sec-fetch-site": "same-origin"}, 405),
    ("GET", "/graphql?query=mutation{x}", PICTURE | {"sec-fetch-site": "cross-site"}, 403),
    ("GET", "/graphql?query=mutation{x}", PICTURE, 405),  # a browser of old
    ("GET", "/graphql?query=mutation{x}", LINK | {"sec-fetch-site": "none"}, 405),
    ("GET", "/%67raphql?query=mutation{x}", PICTURE, 405),
    ("GET", "/graphql", {}, 405),
    ("HEAD", "/graphql?query=mutation{x}", {}, 405),
    ("POST", "/graphql?query=mutation{x}", {"origin": OURS}, 405),
    # forms and scripts of others
    ("POST", "/graphql", {"content-type": "text/plain"}, 403),
    ("POST", "/graphql", {"content-type": "application/x-www-form-urlencoded"}, 403),
    ("POST", "/report_asset_check/a", {"content-type": "multipart/form-data; boundary=x"}, 403),
    ("POST", "/graphql", JSON | LINK | {"sec-fetch-site": "cross-site"}, 403),
    ("POST", "/graphql", JSON | {"sec-fetch-site": "same-site"}, 403),
    ("PUT", "/x", {"sec-fetch-site": "cross-site"}, 403),
    ("GET", "/logs/x", PICTURE | {"sec-fetch-site": "cross-site"}, 403),
    ("GET", "/x", LINK | {"sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe"}, 403),
    ("OPTIONS", "/graphql", {"origin": "http://evil.example"}, 403),
    *(("POST", "/graphql", JSON | {"origin": origin}, 403) for origin in OTHERS),
    *(("GET", "/assets", {"origin": origin}, 403) for origin in OTHERS),
]


def test_what_our_pages_programs_and_other_sites_may_do(browser, done):
    client = browser()
    for method, path, headers, status in REQUESTS:
        done.clear()
        answer = client.request(method, path, headers=headers)

        assert answer.status_code == status, (method, path, headers, answer.text)
        assert bool(done) == (status == 200), (method, path, headers)
        assert "access-control-allow-origin" not in answer.headers


def test_several_headers_of_one_name_hide_nothing(browser, done):
    answer = browser().post("/graphql", headers=[
        ("origin", OURS), ("origin", "http://evil.example"), ("content-type", "application/json"),
    ])  # fmt: skip
    assert (answer.status_code, done) == (403, [])


def test_websockets_of_our_own_page_and_of_programs_alone(browser, done):
    client = browser()
    for headers in ({"origin": OURS}, {}):
        with client.websocket_connect(SOCKET, headers=headers) as talk:
            assert talk.receive_text() == "hello"
    done.clear()
    for headers in (
        *({"origin": origin} for origin in OTHERS),
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "websocket"},
        {"host": "evil.example", "origin": "http://evil.example"},
    ):
        with (
            pytest.raises(WebSocketDisconnect) as closed,
            client.websocket_connect(SOCKET, headers=headers),
        ):
            pass
        assert closed.value.code == 1008
    assert not done


def test_browsers_are_told_what_no_page_needs(browser):
    for answer in (browser().get("/"), browser().get("/", headers={"host": "evil.example"})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["referrer-policy"] == "same-origin"


@pytest.fixture
def logins():
    return Logins(PASSWORD, b"k" * 32)


def test_without_the_password_there_is_a_page_that_asks_for_it(browser, logins, done):
    client = browser(logins=logins)

    sent = client.get("/runs/1?a=b", headers=LINK)
    refused = client.post("/graphql", headers=JSON)
    page = client.get(urljoin("/runs/1", sent.headers["location"]), headers=LINK)

    assert sent.status_code == 303
    assert refused.status_code == 401
    assert not done
    assert 'value="/runs/1?a=b"' in page.text
    assert "prefers-color-scheme: dark" in page.text
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(SOCKET):
        pass


def log_in(client, password, following="/runs/1", origin=OURS):
    form = {"password": password, "next": following}
    return client.post(LOGIN_PATH, data=form, headers={"origin": origin})


def test_the_password_opens_all_and_a_wrong_one_costs_time(browser, logins, done, slept):
    client = browser(logins=logins)

    wrong = log_in(client, "password")
    assert (wrong.status_code, slept, client.cookies.get(COOKIE)) == (401, [1.0], None)
    assert "wrong" in wrong.text

    right = log_in(client, PASSWORD)
    assert (right.status_code, right.headers["location"]) == (303, "../runs/1")
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert PASSWORD not in cookie
    assert "secure" not in cookie  # the browser would not send it back
    behind_tls = log_in(browser(logins=logins), PASSWORD, origin="https://localhost:3000")
    assert "secure" in behind_tls.headers["set-cookie"].lower()
    assert client.post("/graphql", headers=JSON).status_code == 200
    with client.websocket_connect(SOCKET) as talk:
        assert talk.receive_text() == "hello"
    assert slept == [1.0]


def test_a_cookie_of_somebody_else_or_of_yesterday_opens_nothing(browser, logins):
    now = [1_000_000.0]
    ours = Logins(PASSWORD, b"k" * 32, lambda: now[0])
    good = ours.cookie()
    assert ours.is_cookie(good)
    expires, signature = good.split(".")
    for bad in (
        Logins("another password", b"k" * 32, lambda: now[0]).cookie(),
        Logins(PASSWORD, b"l" * 32, lambda: now[0]).cookie(),
        f"{int(expires) + 1}.{signature}", f"{expires}.", f"{expires}", "", ".", "é.é", "x.y",
        f"{expires}.{signature}0", f"{expires}.{signature[:-1]}",
    ):  # fmt: skip
        assert not ours.is_cookie(bad), bad
        if bad.isascii():
            answer = browser(logins=ours).get("/", headers={"cookie": f"{COOKIE}={bad}"})
            assert answer.status_code == 401
    now[0] += LIFE_SECONDS
    assert not ours.is_cookie(good)


def test_another_site_can_neither_log_in_nor_send_anybody_elsewhere(browser, logins):
    client = browser(logins=logins)
    form = {"password": PASSWORD, "next": "/"}
    answer = client.post(LOGIN_PATH, data=form, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403
    for following in ("//evil.example", "https://evil.example", "/\\evil.example", "evil", "",
                      "/\t/evil.example", "/a\r\nSet-Cookie: x=y"):  # fmt: skip
        assert local_path(following) == "/", following
        assert log_in(browser(logins=logins), PASSWORD, following).headers["location"] == "../"


def test_programs_give_the_password_in_a_header(browser, logins, slept):
    client = browser(logins=logins)
    for text, status in (
        (f"escriba:{PASSWORD}", 200), (f":{PASSWORD}", 200), ("escriba:wrong", 401), ("", 401)
    ):  # fmt: skip
        basic = f"Basic {base64.b64encode(text.encode()).decode()}"
        answer = client.post("/graphql", headers=JSON | {"authorization": basic})
        assert answer.status_code == status, text
    assert client.get("/", headers={"authorization": "Basic !"}).status_code == 401
    assert client.get("/", headers={"authorization": "Bearer x"}).status_code == 401
    assert slept == [1.0, 1.0]


def test_a_header_counts_only_from_a_trusted_proxy(browser, logins):
    rules = {"user_header": "X-Forwarded-User", "proxies": [ip_network("10.0.0.0/8")]}
    named = {"x-forwarded-user": "maria"}
    for peer, headers, status in (
        ("10.1.2.3", named, 200), ("::ffff:10.1.2.3", named, 200), ("10.1.2.3", {}, 401),
        ("192.168.1.7", named, 401), ("127.0.0.1", named | {"x-forwarded-for": "10.1.2.3"}, 401),
        ("10.1.2.3", {"x-forwarded-user": ""}, 401),
    ):  # fmt: skip
        assert browser(peer, **rules).get("/", headers=headers).status_code == status, (
            peer,
            headers,
        )
    both = browser("192.168.1.7", **rules, logins=logins)
    assert log_in(both, PASSWORD).status_code == 303
    assert both.get("/").status_code == 200


class Gate:
    """The sleep of a delay, until it is opened; counts who sleeps."""

    def __init__(self):
        self.asleep, self._open = 0, asyncio.Event()

    async def sleep(self, _seconds):
        self.asleep += 1
        await self._open.wait()

    def open(self):
        self._open.set()


def guesses(delay, peers, number):
    return [
        asyncio.ensure_future(delay.check(lambda: False, peer))
        for peer in peers
        for _ in range(number)
    ]


def test_guesses_of_an_address_wait_for_one_another_and_too_many_are_sent_away():
    async def main():
        gate = Gate()
        delay = FailureDelay(gate.sleep)
        bad = guesses(delay, ["10.0.0.1"], 10)
        await asyncio.sleep(0)
        assert gate.asleep == 1
        for same in ("10.0.0.1", "::ffff:10.0.0.1", "10.0.0.1:4711", "[::ffff:10.0.0.1]:4711"):
            with pytest.raises(TooManyGuessesError):
                await delay.check(lambda: True, same)
        gate.open()
        assert await asyncio.gather(*bad) == [False] * 10
        assert await delay.check(lambda: True, "10.0.0.1")

    asyncio.run(main())


def test_the_right_password_from_elsewhere_waits_for_no_guess_of_others():
    async def main():
        gate = Gate()
        delay = FailureDelay(gate.sleep)
        bad = guesses(delay, ["10.0.0.1", "2001:db8::1", ""], 10)
        await asyncio.sleep(0)
        for elsewhere in ("10.0.0.2", "2001:db8:0:1::1"):
            assert await asyncio.wait_for(delay.check(lambda: True, elsewhere), 60)
        with pytest.raises(TooManyGuessesError):  # another address of the same network
            await delay.check(lambda: True, "2001:db8::2")
        gate.open()
        await asyncio.gather(*bad)

    asyncio.run(main())


def test_however_many_addresses_guess_only_so_many_are_remembered():
    async def main():
        gate = Gate()
        delay = FailureDelay(gate.sleep)
        bad = guesses(delay, [f"10.0.{n // 250}.{n % 250}" for n in range(3000)], 1)
        answers = asyncio.gather(*bad, return_exceptions=True)
        await asyncio.sleep(0)
        assert gate.asleep == 1025  # each of the table, and one for all others
        gate.open()
        assert sum(isinstance(one, TooManyGuessesError) for one in await answers) > 1900

    asyncio.run(main())


def test_behind_a_trusted_proxy_a_guess_counts_for_the_address_that_the_proxy_saw(logins):
    rules = GuardRules(logins=logins, proxies=[ip_network("10.0.0.0/8")])

    def client(peer, forwarded):
        headers = [(b"x-forwarded-for", forwarded)] if forwarded else []
        return rules.client_of(Asked({"type": "http", "client": (peer, 1), "headers": headers}))

    assert client("10.0.0.9", b"1.2.3.4, 5.6.7.8") == "5.6.7.8"
    assert client("10.0.0.9", b"") == "10.0.0.9"
    assert client("9.9.9.9", b"5.6.7.8") == "9.9.9.9"  # no proxy of ours: it may say anything


def test_the_key_of_logins_is_made_once_and_is_private(tmp_path):
    path = tmp_path / "login.key"
    key = login_key(path)

    assert len(key) == 32
    assert login_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
