"""Which models are which, and how the embedded ones come to disk."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from escriba.errors import BackendUnavailableError
from resources import demo_models
from resources.demo_models import model_revision, unpack_demo_models


def test_the_demo_models_are_unpacked_once_whole_by_many_at_once(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(unpack_demo_models, [tmp_path] * 4))

    [folder] = folders
    assert (folder / "demo" / "model.bin").stat().st_size > 6_000_000
    assert (folder / "speaker-demo.onnx").is_file()
    assert list(tmp_path.iterdir()) == [folder]


def test_a_damaged_archive_is_named_and_nothing_is_left(tmp_path, monkeypatch):
    sums = demo_models._checksums() | {"speaker-demo.onnx": "0" * 64}
    monkeypatch.setattr(demo_models, "_checksums", lambda: sums)

    with pytest.raises(BackendUnavailableError, match=r"speaker-demo\.onnx is damaged"):
        unpack_demo_models(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_another_model_when_a_file_of_it_changes(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.bin").write_bytes(b"1")
    before = model_revision(str(tmp_path), "none")
    model_revision.cache_clear()

    (tmp_path / "config.json").write_text('{"a": 1}')

    assert model_revision(str(tmp_path), "none") != before


def test_a_hub_name_is_its_own_revision_and_the_diarizer_belongs_to_it():
    assert model_revision("small", "none") == "small"
    assert model_revision("small", "light").startswith("small+")
    assert model_revision("demo", "none").startswith("demo@")
