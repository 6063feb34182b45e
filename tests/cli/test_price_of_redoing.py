"""What redoing an archive costs is told by some of its recordings, or `run` would wait for it."""

import re

from cli.runs import outdated_recordings
from escriba.recordings import Recording
from escriba.settings import load_settings
from intake.made_with import made_of_facts
from intake.stage_records import CostFacts
from resources.storage import open_storage

HOUR_MS = 3_600_000


def archive(count):
    """Recordings of one and of three hours, of two tenants."""
    made = {}
    for n in range(count):
        length = HOUR_MS * (1 + 2 * (n % 2))
        facts = CostFacts(
            source_etag="",
            attempt_ids=(),
            cost_usd="0",
            audio_seconds=length / 1000,
            rtf=None,
            model="small",
            made_with="other options",
            speech_ms=length,
        )
        made[Recording(f"tenant-{n % 3 % 2}", f"{n:06}.mp3")] = made_of_facts(facts)
    return made


def test_the_price_of_some_is_near_to_the_price_of_all(tmp_path, monkeypatch):
    settings = load_settings(storage_url=tmp_path.as_uri(), model="demo")
    storage, recordings, priced = open_storage(settings), archive(600), []
    exact = outdated_recordings.price_of(recordings, settings, storage)
    real = outdated_recordings.plan_now
    monkeypatch.setattr(outdated_recordings, "PRICED_AT_MOST", 90)
    monkeypatch.setattr(
        outdated_recordings, "plan_now", lambda s, *more: priced.append(len(s)) or real(s, *more)
    )

    told = outdated_recordings.price_of(recordings, settings, storage)

    def usd(text):
        return float(re.search(r"about ([\d,.]+) USD", text)[1].replace(",", ""))

    assert priced[0] <= 90
    assert abs(usd(told) - usd(exact)) < 0.02 * usd(exact)
