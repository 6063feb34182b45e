"""Where the models of pyannote come from, and what is said when they do not come."""

import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import yaml

from gpu_job.common.errors import LicenceError, ModelMissingError, OutOfMemoryError
from gpu_job.common.settings import COMMUNITY_1, WorkerSettings
from gpu_job.diarize.pyannote import PyannoteDiarizer

pytestmark = pytest.mark.torch

TOKEN = "hf_" + "x" * 34


@pytest.fixture
def hub(models, tmp_path, monkeypatch):
    """A hub on loopback that answers as `status` and `code` say; else it has no files."""
    import huggingface_hub

    state = SimpleNamespace(status=404, code="", asked=[], tokens=set())

    class Answers(BaseHTTPRequestHandler):
        def do_HEAD(self):
            state.asked.append(self.path)
            state.tokens.add(self.headers.get("Authorization"))
            self.send_response(state.status)
            self.send_header("X-Error-Code", state.code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815

        def log_message(self, *_):
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield state
    server.shutdown()
    server.server_close()


@pytest.fixture
def load(models):
    def make(**changes):
        return PyannoteDiarizer.load(WorkerSettings(models, **changes))

    return make


def test_without_a_token_the_error_names_variable_page_and_the_way_without(hub, load):
    hub.status, hub.code = 401, "GatedRepo"

    with pytest.raises(LicenceError) as caught:
        load()

    message = str(caught.value)
    assert "HUGGINGFACE_TOKEN is not set" in message
    assert f"https://hf.co/{COMMUNITY_1}" in message
    assert "DIARIZER=light" in message
    assert "diarizer 'none'" in message
    assert caught.value.error.code == "licence"
    assert not caught.value.error.permanent


def test_terms_that_were_not_accepted_are_told_from_a_missing_token(hub, load):
    hub.status, hub.code = 403, "GatedRepo"

    with pytest.raises(LicenceError, match="has not accepted its terms") as caught:
        load(huggingface_token=TOKEN)

    assert f"Bearer {TOKEN}" in hub.tokens
    assert TOKEN not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


def test_a_token_of_another_service_is_called_so_and_not_sent(hub, load):
    hub.status = 401

    with pytest.raises(LicenceError, match="start with hf_"):
        load(huggingface_token="sk-something-else")

    assert hub.tokens == {None}


def test_the_model_within_the_pipeline_whose_terms_are_open_is_named(hub, load, models, tmp_path):
    folder = shutil.copytree(models / "3.1", tmp_path / "3.1")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["pipeline"]["params"]["segmentation"] = "pyannote/segmentation-3.0"
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    hub.status, hub.code = 403, "GatedRepo"

    with pytest.raises(LicenceError, match=r"https://hf\.co/pyannote/segmentation-3\.0 "):
        load(diarization_model=str(folder), huggingface_token=TOKEN)


@pytest.mark.parametrize(("status", "code"), [(404, "RepoNotFound"), (401, "RepoNotFound")])
def test_a_model_that_is_nowhere_is_named_with_what_was_tried(hub, load, status, code):
    hub.status, hub.code = status, code

    with pytest.raises(ModelMissingError) as caught:
        load(diarization_model="pyannote/misspelt")

    assert "DIARIZATION_MODEL=pyannote/misspelt" in str(caught.value)
    assert f"HTTP {status}" in str(caught.value)
    assert "DIARIZER=light" in str(caught.value)


def test_a_hub_that_is_out_of_order_is_said_to_be_so(hub, load, monkeypatch):
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    hub.status = 503

    with pytest.raises(ModelMissingError, match=r"not available on the hub \(LocalEntryNotFound"):
        load()


def test_a_model_that_does_not_fit_on_the_card_is_told_from_a_missing_one(load, monkeypatch):
    import torch

    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")

    monkeypatch.setattr("pyannote.audio.Pipeline.to", full)

    with pytest.raises(OutOfMemoryError, match=r"not enough memory to load 3\.1"):
        load(diarization_model="3.1")


def test_a_hub_that_cannot_be_reached_is_a_missing_model(models, load, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(ModelMissingError, match="MODELS_FOLDER"):
        load(diarization_model="pyannote/not-here")


@pytest.mark.parametrize("missing", ["config.yaml", "segmentation/pytorch_model.bin"])
def test_an_incomplete_folder_is_a_missing_model(hub, load, models, tmp_path, missing):
    folder = shutil.copytree(models / "community-1", tmp_path / "torn")
    (folder / missing).unlink()

    with pytest.raises(ModelMissingError, match="not a complete folder"):
        load(diarization_model=str(folder))

    assert hub.asked == []


def test_a_folder_is_loaded_without_the_hub(hub, load, kind, models):
    assert load(diarization_model=kind)
    assert load(diarization_model=str(models / kind))
    assert hub.asked == []


def test_models_that_a_pipeline_names_are_taken_from_the_folder_too(hub, load, models, tmp_path):
    """As 3.1 names its segmentation and embedding: nobody has to edit its config.yaml."""
    for part, name in (("segmentation", "segmentation-3.0"), ("embedding", "wespeaker-resnet34")):
        shutil.copytree(models / "3.1" / part, tmp_path / "pyannote" / name)
    config = yaml.safe_load((models / "3.1" / "config.yaml").read_text())
    config["pipeline"]["params"] |= {
        "segmentation": "pyannote/segmentation-3.0",
        "embedding": "pyannote/wespeaker-resnet34",
    }
    (tmp_path / "pyannote" / "diarization").mkdir()
    (tmp_path / "pyannote" / "diarization" / "config.yaml").write_text(yaml.safe_dump(config))

    assert PyannoteDiarizer.load(WorkerSettings(tmp_path, diarization_model="pyannote/diarization"))
    assert hub.asked == []


def test_a_pipeline_of_another_kind_is_refused_by_name(load, models, tmp_path):
    folder = shutil.copytree(models / "3.1", tmp_path / "other")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["pipeline"]["params"]["clustering"] = "KMeansClustering"
    del config["params"]["clustering"]
    (folder / "config.yaml").write_text(yaml.safe_dump(config))

    with pytest.raises(ModelMissingError, match="is not supported"):
        load(diarization_model=str(folder))


def test_a_card_that_is_not_there_is_an_error_that_names_the_variable(load, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)

    with pytest.raises(ModelMissingError, match="DEVICE=cuda"):
        load(diarization_model="3.1", device="cuda")


def in_a_fresh_interpreter(code):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYANNOTE")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_diarizer_imports_no_torch():
    loaded = in_a_fresh_interpreter(
        "import sys, gpu_job.diarize.pyannote\n"
        "print(*{'torch', 'pyannote.audio', 'scipy', 'sklearn'} & set(sys.modules))"
    )

    assert loaded == ""


@pytest.mark.parametrize(
    ("library", "extension"), [("", "real"), ("raise OSError('no libcudart')", "")]
)
def test_the_library_of_torchaudio_is_replaced_only_where_it_does_not_load(
    tmp_path, monkeypatch, library, extension
):
    folder = tmp_path / "torchaudio"
    folder.mkdir()
    (folder / "__init__.py").write_text("from . import _extension\n")
    (folder / "_extension.py").write_text(f"kind = 'real'\n{library}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    said = in_a_fresh_interpreter(
        "from gpu_job.diarize.pyannote.torchaudio_shim import import_torchaudio\n"
        "import_torchaudio()\n"
        "import torchaudio\n"
        "print(getattr(torchaudio._extension, 'kind', ''))"
    )

    assert said == extension


def test_pyannote_reports_nothing_to_anybody():
    said = in_a_fresh_interpreter(
        "from gpu_job.diarize.pyannote import load_pipeline\n"
        "load_pipeline.import_pyannote()\n"
        "from pyannote.audio.telemetry import metrics\n"
        "print(metrics.is_metrics_enabled())"
    )

    assert said == "False"
