"""What can be known of the image without building it."""

import json
import re
import shlex
import tomllib
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path

import pytest
from faster_whisper.utils import _MODELS
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gpu_job.common.hub_revisions import pinned_revision
from gpu_job.common.settings import WorkerSettings

HOUSE = Path(__file__).resolve().parents[2]
IMAGE = HOUSE / "gpu_job_image"


@pytest.fixture(scope="module")
def lines():
    """Each instruction of the Dockerfile as its name and its text."""
    text = re.sub(r"^\s*#.*\n", "", (IMAGE / "Dockerfile").read_text(), flags=re.MULTILINE)
    whole = text.replace("\\\n", " ").splitlines()
    return [tuple(line.split(maxsplit=1)) for line in whole if line.strip()]


@pytest.fixture(scope="module")
def last_stage(lines):
    starts = [i for i, (name, _) in enumerate(lines) if name == "FROM"]
    return lines[starts[-1] :]


def arguments(lines):
    return dict(text.split("=", 1) for name, text in lines if name == "ARG" and "=" in text)


def environment(stage, given):
    found = {}
    for name, text in stage:
        if name == "ENV":
            found |= dict(pair.split("=", 1) for pair in shlex.split(text))
    for name, value in given.items():
        found = {key: old.replace(f"${{{name}}}", value) for key, old in found.items()}
    return found


def test_what_is_copied_exists_and_the_image_sees_it_and_nothing_else(lines):
    allowed = [
        line.removeprefix("!")
        for line in (IMAGE / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for name, text in lines
        if name == "COPY" and "--from=" not in text
        for source in text.split()[:-1]
    ]
    assert copied
    for source in copied:
        assert (HOUSE / source).exists(), source
        assert any(fnmatch(source, each) or source.startswith(f"{each}/") for each in allowed)
    assert all((HOUSE / each).exists() for each in allowed)


def test_it_runs_offline_as_nobody_special_with_settings_that_the_worker_takes(lines, last_stage):
    given = environment(last_stage, arguments(lines))
    settings = WorkerSettings.from_environment(given)

    assert (settings.device, settings.diarizer) == ("cuda", "pyannote")
    assert str(settings.models / settings.model) == "/models/large-v3-turbo"
    assert given["HF_HUB_OFFLINE"] == "1"
    users = [text for name, text in last_stage if name == "USER"]
    assert int(users[-1]) > 0
    after = last_stage[last_stage.index(("USER", users[-1])) :]
    assert any("--network=none" in text and "cold_start" in text for _, text in after)


def test_without_a_baked_speech_model_the_worker_finds_the_one_that_runpod_mounts(
    lines, last_stage
):
    given = environment(last_stage, arguments(lines))
    cache = WorkerSettings.from_environment(given).model_cache

    assert str(cache) == "/runpod-volume/huggingface-cache/hub"
    [bake] = [text for _, text in lines if "bake_models.py /models" in text]
    assert '${BAKED_SPEECH:+--speech "${SPEECH_MODEL}@${SPEECH_REVISION}"}' in bake
    stages = [i for i, (name, _) in enumerate(lines) if name == "FROM"]
    redeclared = [i for i, line in enumerate(lines) if line == ("ARG", "BAKED_SPEECH")]
    assert len(redeclared) == 2  # where models are baked, and where they are tried
    assert redeclared[-1] > stages[-1]


def test_its_commands_are_modules_that_exist(last_stage):
    commands = {
        name: json.loads(text[text.index("[") :]) for name, text in last_stage if "[" in text
    }

    for command in (commands["CMD"], commands["HEALTHCHECK"]):
        assert command[:2] == ["python", "-m"]
        assert find_spec(command[2])


def test_the_token_is_a_secret_of_one_step_and_in_no_layer(lines):
    holders = [text for _, text in lines if "token" in text.lower()]

    assert len(holders) == 1
    assert "--mount=type=secret,id=hf_token" in holders[0]


def pins_of(lock):
    found = re.findall(r"^([\w.-]+)==([^ ;]+).*\\$", (IMAGE / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def test_the_locks_hold_what_the_image_installs():
    project = tomllib.loads((IMAGE / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    light = project["dependencies"] + extras["runpod"] + extras["cuda"]
    for lock, wanted in (("image.lock", light + extras["pyannote"]), ("image-light.lock", light)):
        pins = pins_of(lock)
        for requirement in map(Requirement, wanted):
            assert pins[canonicalize_name(requirement.name)] in requirement.specifier
    assert "torch" not in pins_of("image-light.lock")


def test_the_tests_worker_takes_torch_of_whichever_build_there_is():
    names = pins_of("worker.lock").keys()

    assert "pyannote-audio" in names
    assert not [name for name in names if re.match(r"torch$|triton|cuda-|nvidia-(?!ml)", name)]


def test_base_image_packages_and_models_cannot_change_unseen(lines):
    given = arguments(lines)
    installs = [text for _, text in lines if "pip install" in text]

    assert re.search(r"@sha256:[0-9a-f]{64}$", given["BASE_IMAGE"])
    assert any('--require-hashes -r "${LOCK}"' in text for text in installs)
    turbo = _MODELS[given["SPEECH_MODEL"]]
    assert given["SPEECH_REVISION"] == pinned_revision(turbo)
    assert given["DIARIZATION_REVISION"] == pinned_revision(given["DIARIZATION_MODEL"])
