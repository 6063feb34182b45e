"""What people see and do in the pages of `escriba up`, with the real daemon behind them."""

import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from escriba.stages import STAGES

RUN_SECONDS = 300

GOOD = ["acme/english.wav", "acme/joined.mp3", "acme/other.wav", "acme/portuguese.mp3"]
BAD = "acme/notes.mp3"


def partitions(page, asset, key=""):
    page.goto(f"/assets/{asset}?view=partitions" + (f"&partition={key}" if key else ""))
    expect(page.get_by_text("Partitions Selected")).to_be_visible()


def materialize(page, asset, keys):
    """Choose the partitions in the dialog, and launch."""
    partitions(page, asset)
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog").filter(has_text="Partition selection")
    dialog.get_by_text("Select a partition or create one").click()
    for key in keys:
        page.locator(f'[role=menuitem] [title="{key}"]').click()
    page.keyboard.press("Escape")
    dialog.get_by_role("button", name=re.compile("^Launch")).click()


def metadata(page, name):
    """The value beside a name in the table of a partition."""
    return page.get_by_role("row").filter(has=page.get_by_text(name, exact=True)).first


def test_the_lineage_shows_five_assets_of_a_recording(page, up):
    page.goto("/locations/escriba/asset-groups/recordings")

    for asset in STAGES:
        name = re.compile(f"^{asset[:4]}.*{asset[-5:]}$")  # the graph shortens long names
        expect(page.get_by_text(name).first).to_be_visible()


def test_what_hangs_on_the_ledger_is_a_group_of_its_own(page, up):
    page.goto("/locations/escriba/asset-groups/costs/list")

    for asset in ("attempts_ledger", "daily_spend", "reconciliation"):
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()


@pytest.fixture(scope="module")
def backfills(window, up, first_run):
    """A range and a scattered choice, launched from the dialog; their ids."""
    up.jobs_at_first = up.jobs()
    page, launched = window(), []
    for asset, chosen in (("transcript", GOOD[:2]), ("cost_metrics", [GOOD[0], GOOD[3]])):
        materialize(page, asset, chosen)
        known = list(launched)
        launched += up.wait_for(lambda known=known: up.backfills() - set(known), "a backfill")
    return launched


def test_the_sensor_takes_the_files_and_good_ones_turn_green_bad_ones_red(page, up, first_run):
    partitions(page, "diarized_transcript")

    expect(page.get_by_text("Materialized (4)")).to_be_visible()
    expect(page.get_by_text("Failed (1)")).to_be_visible()
    page.get_by_text("Materialized (4)").click()  # leave only what failed
    expect(page.get_by_text(BAD, exact=True).first).to_be_visible()
    expect(page.get_by_text(GOOD[0], exact=True)).to_have_count(0)
    tags = {tag["key"]: tag["value"] for tag in first_run["tags"]}
    assert tags["dagster/sensor_name"] == "inbox_sensor"
    assert tags["escriba/tenant"] == "acme"


@pytest.mark.usefixtures("backfills")  # they go on behind the tests that follow
def test_a_partition_shows_its_numbers_and_its_log_is_a_click_away(page, up, first_run):
    partitions(page, "transcript", GOOD[0])
    expect(metadata(page, "words")).to_contain_text(re.compile(r"words\s*[1-9]\d"))
    expect(metadata(page, "transcribe_seconds")).to_contain_text(re.compile(r"\d\.\d+"))
    partitions(page, "cost_metrics", GOOD[0])
    expect(metadata(page, "cost_usd")).to_contain_text(re.compile(r"0\.0|e-"))

    metadata(page, "log").get_by_role("link").first.click()
    log = wait_for_tab(page)

    expect(log.locator("body")).to_contain_text("diarized_transcript")
    lines = [json.loads(line) for line in log.locator("body").inner_text().splitlines() if line]
    assert [line["event"] for line in lines[:5]] == list(STAGES)


def test_why_a_job_went_where_it_went_is_a_table_of_all_backends(page, up, first_run):
    partitions(page, "transcript", GOOD[0])

    why = metadata(page, "route")
    expect(why).to_contain_text("local/this-machine at 0.0")
    expect(why.locator("th").filter(has_text="USD")).to_be_visible()
    expect(why.locator("td").filter(has_text="planned: RTF").last).to_be_visible()


def wait_for_tab(page):
    """The link opens here or in a tab of its own."""
    pages = page.context.pages
    if len(pages) == 1 and "log.jsonl" not in page.url:
        page.context.wait_for_event("page", timeout=5_000)
    return page.context.pages[-1]


def test_every_recording_of_a_batch_stands_among_the_events_of_an_asset(page, up, first_run):
    page.goto("/assets/transcript?view=events")

    for key in GOOD:
        expect(page.get_by_text(key, exact=True).first).to_be_visible()


def test_a_failed_partition_says_what_is_wrong_and_what_to_do(page, up, first_run):
    partitions(page, "raw_audio", BAD)
    page.get_by_role("button", name="View all historical events").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(BAD, exact=True).last.click()

    expect(dialog).to_contain_text("not in a supported audio format")
    expect(dialog).to_contain_text("Check that the file is a recording")
    expect(dialog).to_contain_text("log.jsonl")


def test_a_failed_run_lists_the_failed_in_a_table(page, up, first_run):
    page.goto(f"/runs/{first_run['runId']}?logs=type%3ASTEP_FAILURE")
    expect(page.get_by_text("1 of 5 recordings failed; the others are done.").first).to_be_visible()
    page.get_by_text("[Show Markdown]").first.click()

    table = page.get_by_role("dialog").get_by_role("table")
    expect(table).to_contain_text(BAD)
    expect(table).to_contain_text("raw_audio")
    expect(table).to_contain_text("Check that the file is a recording")


def test_a_check_that_fails_is_shown_and_its_asset_stays_green(page, up, first_run):
    """Two MP3 files in one, of different bitrates: its length is guessed from the first."""
    page.goto("/assets/optimized_audio?view=checks")
    page.get_by_text("decoded_length_agrees").first.click()
    page.get_by_text("Execution history", exact=True).click()

    expect(page.get_by_text("Failed").first).to_be_visible()
    partitions(page, "optimized_audio", "acme/joined.mp3")
    expect(page.get_by_text("Materialized", exact=True)).to_be_visible()


def test_one_partition_of_one_asset_is_materialized_again_and_reused(page, up, first_run):
    before = up.jobs()
    materialize(page, "transcript", [GOOD[0]])
    up.ended("__ASSET_JOB")

    partitions(page, "transcript", GOOD[0])

    expect(metadata(page, "reused")).to_contain_text("true")
    assert up.jobs() == before


def test_the_retry_job_runs_what_failed_and_nothing_else(page, up, first_run):
    before = len(up.runs())
    page.goto("/locations/escriba/jobs/retry_failed_job/playground")
    page.get_by_role("button", name="Launch Run", exact=False).click()
    expect(page.get_by_text("request_failed_recordings").first).to_be_visible()

    again = up.ended(more_than=before)

    assert keys_of(again) == [BAD]
    page.goto(f"/runs/{again['runId']}?logs=type%3ASTEP_FAILURE")
    expect(page.get_by_text("1 of 1 recordings failed").first).to_be_visible()
    partitions(page, "raw_audio")
    expect(page.get_by_text("Failed (1)")).to_be_visible()


def keys_of(run):
    return run["runConfig"]["ops"]["recording_chain"]["config"]["keys"]


def test_backfills_end_green_and_recompute_nothing(page, up, backfills):
    before, (range_, scattered) = up.jobs(), backfills
    for backfill, assets in ((range_, ["transcript"]), (scattered, ["cost_metrics"])):
        page.goto(f"/runs/b/{backfill}")
        expect(page.get_by_text("100% completed")).to_be_visible(timeout=RUN_SECONDS * 1000)
        for asset in assets:
            partitions(page, asset, GOOD[0])
            expect(metadata(page, "reused")).to_contain_text("true")

    assert up.jobs() == before == up.jobs_at_first


def test_the_files_page_shows_transcripts_and_nothing_of_the_inbox(up, first_run):
    text = httpx.get(f"{up.files_url}/transcripts/acme/english.wav/transcript.txt")
    hidden = httpx.get(f"{up.files_url}/inbox/acme/english.wav")

    assert "SPEAKER_00" in text.text
    assert hidden.status_code == 404
    assert Path(up.bucket, "inbox", "acme", "english.wav").exists()


def test_the_metrics_count_what_was_transcribed(up, first_run):
    """On the port after that of the files, to this machine."""
    address = f"http://127.0.0.1:{httpx.URL(up.files_url).port + 1}/metrics"

    def counted():
        found = re.search(
            r'transcription_jobs_total\{backend="local",status="done"\} (\S+)',
            httpx.get(address, timeout=60).text,
        )
        return found and float(found[1])

    assert counted() >= 1
