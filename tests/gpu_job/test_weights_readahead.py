"""Files of the models are asked for before anybody reads them."""

import os

from gpu_job.common.settings import WorkerSettings
from gpu_job.weights_readahead import read_ahead


def test_all_files_of_both_models_are_asked_for_and_a_missing_folder_is_none(tmp_path, monkeypatch):
    asked = []

    def advise(file, *_):
        asked.append(os.path.realpath(f"/proc/self/fd/{file}"))

    monkeypatch.setattr(os, "posix_fadvise", advise, raising=False)
    for name in ("speech/model.bin", "speakers/embedding/weights.bin", "other/model.bin"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"1")

    read_ahead(WorkerSettings(tmp_path, model="speech", diarization_model="speakers"))
    read_ahead(WorkerSettings(tmp_path, model="none", diarization_model="none"))

    assert sorted(asked) == [
        str(tmp_path / "speakers/embedding/weights.bin"),
        str(tmp_path / "speech/model.bin"),
    ]
