"""pyannote's pipelines with models that hear tones: `make test-worker`."""

from types import SimpleNamespace

import pytest

from bench import tones
from gpu_job.common.settings import WorkerSettings
from gpu_job.contract import Speakers
from gpu_job.diarize.pyannote import PyannoteDiarizer

KINDS = ("community-1", "3.1")


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A MODELS_FOLDER with a pipeline of each kind, which hears tones."""
    from gpu_job.diarize.pyannote import load_pipeline

    load_pipeline.import_pyannote()
    from bench.tone_models import write_pipeline

    folder = tmp_path_factory.mktemp("models")
    for kind in KINDS:
        write_pipeline(folder / kind, kind)
    return folder


@pytest.fixture(scope="session")
def parts(models):
    """The parts of a pipeline, loaded by the product's own code; one test changes none of them."""
    from gpu_job.diarize.pyannote.load_pipeline import load_parts

    return {
        kind: load_parts(WorkerSettings(models, diarization_model=kind, threads=1))
        for kind in KINDS
    }


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def diarizer(parts, kind):
    return PyannoteDiarizer(parts[kind])


@pytest.fixture(scope="session")
def talk():
    """90 s among four, who sometimes interrupt one another: the samples, and one region."""
    samples = tones.conversation(90, 4)
    return SimpleNamespace(samples=samples, regions=tones.all_of(samples))


@pytest.fixture(scope="session")
def diarize():
    """A diarizer at work: nobody knows how many there are, and nobody wants it to stop."""

    def run(diarizer, samples, regions=None, speakers=Speakers(), check=lambda: None):  # noqa: B008
        regions = tones.all_of(samples) if regions is None else regions
        return diarizer.diarize(samples, regions, speakers, check)

    return run
