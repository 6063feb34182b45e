"""Clustering of at most so many embeddings, against pyannote's own of all."""

import numpy as np
import pytest

from bench.voices import Prepared, agreement, prepared, pyannote_labels
from gpu_job.diarize.pyannote.clusters import SpeakerCount, assign
from gpu_job.stop_request import Stop, StoppedError

pytestmark = pytest.mark.torch

ANY = SpeakerCount(None, 1, np.inf)


def never():
    """Nobody wants the work to stop."""


@pytest.fixture(scope="module")
def crowd(models) -> Prepared:
    """3,000 embeddings of ten voices, some rare, two to a window."""
    return prepared(3_000, voices=10)


@pytest.fixture
def clustering(models, kind, crowd, tmp_path):
    from bench.voices import clustering_of

    return clustering_of(kind, tmp_path)


def test_with_all_embeddings_the_labels_are_pyannotes(clustering, crowd):
    ours = assign(clustering, crowd.voices, ANY, never, most=3_000)

    assert agreement(ours.speaker, pyannote_labels(clustering, crowd)) == 1


@pytest.mark.parametrize(
    "wanted", [SpeakerCount(4, 4, 4), SpeakerCount(None, 14, np.inf), SpeakerCount(None, 1, 5)]
)
def test_with_a_number_of_speakers_too(clustering, crowd, wanted):
    ours = assign(clustering, crowd.voices, wanted, never, most=3_000)

    assert agreement(ours.speaker, pyannote_labels(clustering, crowd, wanted)) > 0.999


def test_a_fifth_of_the_embeddings_gives_nearly_the_same_labels(clustering, crowd):
    ours = assign(clustering, crowd.voices, ANY, never, most=600)

    assert agreement(ours.speaker, pyannote_labels(clustering, crowd)) >= 0.99


def test_the_linkage_never_sees_more_than_the_bound(clustering, crowd, monkeypatch):
    from scipy.cluster import hierarchy

    seen, real = [], hierarchy.linkage

    def linkage(vectors, *arguments, **options):
        seen.append(len(vectors))
        return real(vectors, *arguments, **options)

    monkeypatch.setattr(hierarchy, "linkage", linkage)
    monkeypatch.setattr("pyannote.audio.pipelines.clustering.linkage", linkage)

    assign(clustering, crowd.voices, ANY, never, most=500)

    assert seen == [500]


def test_the_thresholds_of_the_pipeline_stay_as_they_were(clustering, crowd):
    before = clustering.parameters(instantiated=True)

    assign(clustering, crowd.voices, ANY, never, most=500)

    assert clustering.parameters(instantiated=True) == before


def test_clustering_stops_when_somebody_says_so(clustering, crowd):
    stop = Stop()
    stop.request("run_limit")

    with pytest.raises(StoppedError):
        assign(clustering, crowd.voices, ANY, stop.check, most=500)
