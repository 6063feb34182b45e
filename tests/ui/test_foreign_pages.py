"""A page of a stranger, in the browser of somebody who uses Escriba, changes and reads nothing."""

import json
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import expect

from .foreign_page import TO_READ, WAYS, send, stranger

SELECTOR = '{repositoryLocationName: "escriba", repositoryName: "__repository__"}'
ADD = f"""mutation {{addDynamicPartition(repositorySelector: {SELECTOR},
          partitionsDefName: "recordings", partitionKey: "KEY") {{__typename}}}}"""
DELETE = f"""mutation {{deleteDynamicPartitions(repositorySelector: {SELECTOR},
             partitionsDefName: "recordings", partitionKeys: ["KEY"]) {{__typename}}}}"""
PARTITIONS = '{assetNodes(assetKeys: [{path: ["raw_audio"]}]) {partitionKeys}}'


def partitions(up):
    return set(up.ask(PARTITIONS)["assetNodes"][0]["partitionKeys"])


def query(key):
    """A mutation that leaves a trace: as JSON, and for an address."""
    text = " ".join(ADD.replace("KEY", key).split())
    return json.dumps({"query": text}), quote(text, safe="")


@pytest.fixture(scope="module")
def foreign():
    with stranger() as (port, asked):
        yield port, asked


@pytest.fixture
def tab(chromium):
    """A window without a page of ours."""
    context = chromium.new_context()
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


def test_the_mutation_is_real_and_the_ways_are(tab, foreign, up):
    """Otherwise the next tests would prove nothing."""
    port, asked = foreign
    up.ask(ADD.replace("KEY", "acme/control"))
    assert "acme/control" in partitions(up)
    up.ask(DELETE.replace("KEY", "acme/control"))
    assert "acme/control" not in partitions(up)

    tab.goto(f"http://evil.example:{port}/")
    for number, way in enumerate(WAYS):
        asked.clear()
        key = f"acme/evil-{number}"
        send(tab, way, f"http://127.0.0.1:{port}", *query(key))
        up.wait_for(lambda: any(is_sent(*one, key) for one in asked), way, 60)  # noqa: B023


def is_sent(method, path, body, key):
    """Whether a request carries the query, or is what a browser asks before it sends one."""
    is_first = body == "websocket" or method == "OPTIONS"
    return "/graphql" in path and (key in f"{path}{body}" or is_first)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1"])  # another site, another port
def test_no_way_of_a_foreign_page_changes_anything(tab, foreign, up, host):
    port, _ = foreign
    before = partitions(up)
    tab.goto(f"http://{host}:{port}/")
    for number, way in enumerate(WAYS):
        for target in (up.url, up.url.replace("127.0.0.1", "localhost")):
            send(tab, way, target, *query(f"acme/evil-{host}-{number}"))

    assert not {key for key in partitions(up) - before if "evil" in key}


def test_a_foreign_page_reads_nothing_and_frames_nothing(tab, foreign, up, first_run):
    port, _ = foreign
    tab.goto(f"http://127.0.0.1:{port}/")
    secret = f"{up.files_url}/transcripts/acme/english.wav/transcript.txt"
    for url in (secret, f"{up.url}/server_info", up.url):
        assert tab.evaluate(TO_READ, [url]) == ["", ""], url
    tab.set_content(f'<iframe src="{up.url}"></iframe><iframe src="{secret}"></iframe>')
    tab.wait_for_load_state("networkidle")
    for frame in tab.frames[1:]:
        assert "SPEAKER" not in frame.content()
        assert "Dagster" not in frame.content()


def test_a_name_bound_to_this_machine_opens_nothing(tab, up):
    """DNS rebinding: for the browser the page is of the same origin as ours."""
    before = partitions(up)
    for address in (up.url, up.files_url):
        bound = f"http://rebound.example:{urlsplit(address).port}"
        answer = tab.goto(f"{bound}/")
        assert answer.status == 421
        assert "UI_HOSTS" in answer.text()
        for number, way in enumerate(WAYS):
            send(tab, way, bound, *query(f"acme/rebound-{number}"))
        status = tab.evaluate("""async () => (await fetch('/graphql', {method: 'POST', body: '{}',
            headers: {'Content-Type': 'application/json'}})).status""")
        assert status == 421
    assert not {key for key in partitions(up) - before if "rebound" in key}


def test_our_own_pages_work_behind_the_guard(page, up, first_run):
    """Queries, subscriptions by websocket, a link to a file; nothing that the policy forbids."""
    said, heard = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("websocket", lambda socket: socket.on("framereceived", lambda _: heard.append(socket)))
    page.goto(f"/runs/{first_run['runId']}")
    expect(page.get_by_text("recordings failed").first).to_be_visible()
    up.wait_for(lambda: page.wait_for_timeout(200) or heard, "an answer by websocket", 60)

    page.goto("/graphql")  # the playground
    answer = page.evaluate("""async () => (await fetch('/graphql', {method: 'POST',
        headers: {'Content-Type': 'application/json'}, body: '{"query": "{version}"}'})).json()""")
    assert answer["data"]["version"]

    page.goto(up.files_url)  # another port: a link from one page to the other
    page.get_by_role("link", name="TXT").first.click()
    expect(page.locator("body")).to_contain_text("SPEAKER_")
    with page.expect_download() as download:
        page.goto(up.files_url)
        page.get_by_role("link", name="CSV").first.click()
    assert download.value.suggested_filename.endswith(".csv")
    forbidden = [line for line in said if "Content Security Policy" in line and "violat" in line]
    assert not forbidden
