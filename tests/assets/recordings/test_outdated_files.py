"""Files of other settings are found without reading them, and rewritten without a new job."""

import json

import pytest
import yaml

from escriba.stages import COST_METRICS, DIARIZED_TRANSCRIPT, FILE_STAGES
from intake.outdated import outdated
from intake.outdated_files import outdated_files
from intake.recording_options import OPTIONS_FILE, tenant_overrides
from intake.stage_records import fingerprint, record_key
from intake.work_requests import read_requests
from pipelines.definitions import make_definitions
from resources.storage.base import StorageError
from sensors.requests import _Cursor, next_runs

LONGER = {"subtitle_min_ms": 4_000}


def set_to(house, **settings):
    house.settings = house.settings.model_copy(update=settings)


def waiting(house):
    return [one.name for one in outdated_files(house.survey(), house.settings, house.storage)]


def shown_ms(house, recording):
    """The duration of the first subtitle."""
    line = house.text(recording, "transcript.srt").splitlines()[1]
    begin, end = (
        sum(float(part) * unit for part, unit in zip(time.split(":"), (3600, 60, 1), strict=True))
        for time in line.replace(",", ".").split(" --> ")
    )
    return round(1000 * (end - begin))


@pytest.fixture
def done(house, clips, quick):
    """Two tenants with one finished recording each."""
    recordings = [house.put(clips.english, "a.wav", tenant) for tenant in ("acme", "lab")]
    assert house.run(recordings).success
    assert waiting(house) == []
    return recordings


def test_a_rule_that_changed_writes_the_files_again_and_no_transcript(house, done):
    said = [house.storage.head(one.transcript_key("transcript.json")).etag for one in done]
    before = shown_ms(house, done[0])
    set_to(house, **LONGER)
    assert waiting(house) == ["acme/a.wav", "lab/a.wav"]

    assert house.run(done, stages=FILE_STAGES).success

    assert before < 4_000 == shown_ms(house, done[0])
    assert [house.storage.head(one.transcript_key("transcript.json")).etag for one in done] == said
    assert len(house.attempts()) == 2
    assert waiting(house) == []


def test_only_the_recordings_of_the_tenant_that_changed_wait(house, done, tmp_path):
    path = tmp_path / "tenants.yaml"
    path.write_text(yaml.safe_dump({"tenants": {"lab": LONGER, "acme": {"hotwords": "Ana"}}}))
    tenant_overrides.cache_clear()
    set_to(house, tenants_file=path)

    assert waiting(house) == ["lab/a.wav"]


def test_a_new_setting_at_its_default_leaves_all_files_as_they_are(house, done):
    set_to(house, subtitle_lines=2, formats="all")

    assert waiting(house) == []


class Dying:
    """A storage that fails at its n-th change, like a process that dies there."""

    def __init__(self, storage, changes):
        self._storage, self._left = storage, changes

    def __getattr__(self, name):
        found = getattr(self._storage, name)
        return self._counted(found) if name in {"write", "create", "delete", "upload"} else found

    def _counted(self, change):
        def changed(*arguments):
            if not self._left:
                raise StorageError("the process is dead")
            self._left -= 1
            return change(*arguments)

        return changed


def test_whatever_step_it_dies_at_the_recording_stays_done_and_the_next_run_goes_on(
    house, done, monkeypatch
):
    recording, rounds = done[0], 0
    for step in range(30):
        change = {"subtitle_min_ms": 4_000 + 100 * step, "formats": ["all", "srt"][step % 2]}
        set_to(house, **change)
        with monkeypatch.context() as dying:
            store = Dying(house.storage, step)
            dying.setattr("assets.recordings.run_context.open_storage", lambda _, s=store: s)
            [outcome] = house.batch([recording], stages=FILE_STAGES)
        if outcome.failed is None:
            break
        rounds += 1
        assert recording in house.survey().done
        assert waiting(house) == ["acme/a.wav", "lab/a.wav"]

        [outcome] = house.batch([recording], stages=FILE_STAGES)

        assert outcome.failed is None
        assert waiting(house) == ["lab/a.wav"]
        assert shown_ms(house, recording) == 4_000 + 100 * step
        assert (house.text(recording, "transcript.vtt") is None) == (step % 2 == 1)
    assert rounds > len(FILE_STAGES)
    assert len(house.attempts()) == 2


def test_a_format_that_is_taken_out_is_removed_unless_somebody_edited_its_file(house, done):
    house.storage.write(done[1].transcript_key("transcript.docx"), b"corrected by hand")
    set_to(house, formats="srt")
    assert len(waiting(house)) == 2

    house.batch(done, stages=FILE_STAGES)

    assert house.storage.read(done[0].transcript_key("transcript.docx")) is None
    assert house.storage.read(done[1].transcript_key("transcript.docx")) == b"corrected by hand"
    assert house.text(done[1], "transcript.vtt") is None
    assert waiting(house) == []
    set_to(house, formats="all")
    house.batch(done, stages=FILE_STAGES)
    assert house.storage.read(done[0].transcript_key("transcript.docx"))[:2] == b"PK"


def of_an_earlier_version(house, recording, version=None):
    """Rewrite the records as that version wrote them."""
    key = record_key(recording, COST_METRICS)
    record = json.loads(house.storage.read(key))
    del record["facts"]["written_with"]
    house.storage.write(key, json.dumps(record).encode())
    if version is not None:
        key = record_key(recording, DIARIZED_TRANSCRIPT)
        record = json.loads(house.storage.read(key))
        said = json.loads(house.storage.read(record_key(recording, "transcript")))["facts"]
        record["fingerprint"] = fingerprint(
            DIARIZED_TRANSCRIPT, version, said["job"], recording.name
        )
        house.storage.write(key, json.dumps(record).encode())


@pytest.mark.parametrize("version", [None, 1])
def test_files_of_an_earlier_version_wait_only_where_settings_changed(house, done, version):
    of_an_earlier_version(house, done[0], version)
    assert waiting(house) == []

    set_to(house, **LONGER)

    assert waiting(house) == ["acme/a.wav", "lab/a.wav"]


def test_files_of_a_transcript_that_other_settings_gave_are_written_of_that_transcript(house, done):
    set_to(house, default_language="pt", **LONGER)

    house.batch(done, stages=FILE_STAGES)

    assert json.loads(house.text(done[0], "diarized.json"))["language"] == "en"
    assert len(house.attempts()) == 2
    assert waiting(house) == []
    still = outdated(house.survey(), house.settings, house.storage, at_most=0)
    assert (sorted(still.recordings), still.unknown) == (sorted(done), 0)


def test_options_of_a_recording_that_the_new_settings_contradict_are_told(house, done):
    house.storage.write(done[0].work_key(OPTIONS_FILE), b'{"subtitle_min_ms": 3000}')
    house.batch(done[:1])
    set_to(house, subtitle_max_ms=2_800, subtitle_chars_per_second="17,japanese=5")

    house.batch(outdated_files(house.survey(), house.settings, house.storage), stages=FILE_STAGES)

    [(recording, refusal)] = house.survey().failed.items()
    assert (recording, refusal.code) == (done[0], "options_wrong")
    assert "subtitle_min_ms (3000) is more than subtitle_max_ms (2800)" in refusal.message
    assert waiting(house) == []


def test_a_night_asks_for_files_alone_and_their_runs_are_batches(house, done):
    set_to(house, **LONGER)
    for _ in range(2):
        job = make_definitions(house.settings, house.progress()).resolve_job_def("nightly_job")
        assert job.execute_in_process(
            instance=house.instance, tags={"escriba/night": "2026-11-24"}, raise_on_error=False
        ).success

    [request] = read_requests(house.storage)
    assert request.keys == tuple(one.partition_key for one in done)
    assert request.stages == FILE_STAGES
    runs, _ = next_runs([request], _Cursor(), set(), 1)
    assert [run.run_config["ops"]["recording_chain"]["config"]["keys"] for run in runs] == [
        [one.partition_key] for one in done
    ]
