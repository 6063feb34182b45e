"""The identity of a job. A change here pays for every archived recording again."""

import pytest

from gpu_job.contract import JobOptions, Speakers
from resources.gpu import job_identity
from resources.gpu.job_identity import RESULT_EPOCH, job_id

CONTENT = "0123456789abcdef" * 4
PLAIN = JobOptions(model="demo")
RICH = JobOptions(
    model="small",
    language="pt",
    task="translate",
    beam_size=5,
    hotwords="Ana, João",
    initial_prompt="Uma reunião.",
    diarizer="none",
    speakers=Speakers(exact=2, minimum=1, maximum=3),
    channels="separate",
)


@pytest.mark.parametrize(
    ("content", "options", "revision", "job"),
    [
        (
            CONTENT,
            PLAIN,
            "demo@1",
            "0170ca13cabf34e0b66564d306ded3bd44369a68339712cc8628a77965856bbd",
        ),
        (
            CONTENT,
            RICH,
            "small",
            "c2a1fde47325a17e99ee6c69426b250cdbb8a6b968a7d7e76accc83378ea6ea2",
        ),
        (
            "f" * 64,
            PLAIN,
            "demo@1+speakers",
            "2932e4d5c95c20a61dd3318f63a402512d9af6b0776dc6ab5ee6118951a46820",
        ),
    ],
)
def test_the_identity_of_a_job_never_changes(content, options, revision, job):
    """Where this fails, all that was ever transcribed would be paid for again.

    Mend the code, not the expected values; RESULT_EPOCH is there for whoever wants just that.
    """
    assert job_id(content, options, revision) == job


def test_the_epoch_is_the_one_of_the_archive():
    assert RESULT_EPOCH == 1


@pytest.mark.parametrize(
    "named",
    [
        {"language": None},
        {"task": "transcribe"},
        {"beam_size": 1},
        {"hotwords": ""},
        {"initial_prompt": ""},
        {"diarizer": "light"},
        {"speakers": Speakers()},
        {"speakers": Speakers(exact=None)},
        {"channels": "mixed"},
        {"detect": "once"},
        {"word_times": True},
        {"diarization_model": ""},
        {"speaker_embeddings": False},
        {"languages": ()},
    ],
)
def test_an_option_at_its_default_is_as_good_as_none(named):
    named_options = JobOptions(model="demo", **named)

    assert job_id(CONTENT, named_options, "demo@1") == job_id(CONTENT, PLAIN, "demo@1")


CHANGES = [
    {"model": "small"},
    {"language": "pt"},
    {"language": "en"},
    {"task": "translate"},
    {"beam_size": 2},
    {"hotwords": "Ana"},
    {"initial_prompt": "Ana"},
    {"diarizer": "none"},
    {"speakers": Speakers(exact=2)},
    {"speakers": Speakers(minimum=2)},
    {"speakers": Speakers(maximum=2)},
    {"channels": "separate"},
    {"track": "2"},
    {"detect": "along"},
    {"word_times": False},
    {"diarizer": "pyannote"},
    {"diarization_model": "pyannote/speaker-diarization-3.1"},
    {"speaker_embeddings": True},
    {"languages": ("en", "pt")},
]


def test_every_option_that_changes_the_result_makes_another_job(monkeypatch):
    jobs = {
        job_id(CONTENT, PLAIN, "demo@1"),
        job_id("f" * 64, PLAIN, "demo@1"),
        job_id(CONTENT, PLAIN, "demo@2"),
        *(job_id(CONTENT, PLAIN.model_copy(update=change), "demo@1") for change in CHANGES),
    }
    monkeypatch.setattr(job_identity, "RESULT_EPOCH", RESULT_EPOCH + 1)
    jobs.add(job_id(CONTENT, PLAIN, "demo@1"))

    assert len(jobs) == 4 + len(CHANGES)


def test_no_option_is_forgotten_here():
    assert {name for change in CHANGES for name in change} == set(JobOptions.model_fields)


def test_the_tenant_is_no_part_of_it_but_keeps_a_folder_of_its_own(world):
    ours, theirs = (world.order(tenant=tenant).folder for tenant in ("acme", "other"))

    assert ours.job == theirs.job
    assert ours.key("result.json") != theirs.key("result.json")
