import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from gpu_job.contract import Speakers
from gpu_job.diarize.light.clustering import Rules, group
from gpu_job.diarize.light.inference import Pieces
from gpu_job.diarize.light.linkage import BLOCK, Bar, Rivals, link
from gpu_job.diarize.light.overlapped_speech import OverlappedVoices

NONE = Rivals(np.zeros((0, 2), np.intp), 0.0)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def pieces(who, *, seed=1, noise=0.7, seconds=1.5, alike=0.0):
    """One piece a window of each of `who`, by turns; as far apart as CAM++ hears real voices."""
    dice = np.random.default_rng(seed)
    common = unit(dice.normal(size=(1, 192)))
    voices = unit(dice.normal(size=(max(who) + 1, 192))) + alike * common
    vectors = voices[who] + noise * unit(dice.normal(size=(len(who), 192)))
    rows = np.arange(len(who))
    return Pieces(
        window=rows // 2,
        speaker=rows % 2,
        low=np.zeros(len(who), np.intp),
        high=np.full(len(who), 88),
        vectors=unit(vectors),
        seconds=np.full(len(who), seconds),
    )


def talk(speakers, count):
    return np.random.default_rng(2).integers(0, speakers, count)


@pytest.mark.parametrize("speakers", [1, 2, 3, 5, 10])
def test_the_number_of_speakers_is_found(speakers):
    who = talk(speakers, 60 * speakers)
    found = group(pieces(who), Speakers(), Rules())

    assert len(found.centroids) == speakers
    pairs = {(int(a), int(b)) for a, b in zip(who, found.speaker, strict=True)}
    assert len(pairs) == speakers  # each is one and the same all the way


@pytest.mark.parametrize(
    ("known", "number"),
    [
        (Speakers(exact=2), 2),
        (Speakers(exact=6), 6),
        (Speakers(maximum=3), 3),
        (Speakers(minimum=6), 6),
        (Speakers(minimum=2, maximum=9), 4),
    ],
)
def test_a_number_that_somebody_knows_holds(known, number):
    found = group(pieces(talk(4, 200)), known, Rules())

    assert len(found.centroids) == number
    assert set(found.speaker.tolist()) <= set(range(number))


def test_work_may_stop_while_more_speakers_are_looked_for_than_are_heard():
    checked = []

    group(pieces(talk(2, 40)), Speakers(minimum=6), Rules(), lambda: checked.append(1))

    assert len(checked) > 1


def test_one_piece_is_one_speaker():
    found = group(pieces(np.array([0]), seconds=0.0), Speakers(), Rules())

    assert found.speaker.tolist() == [0]


def test_more_speakers_than_pieces_are_as_many_as_there_are_pieces():
    found = group(pieces(np.array([0, 1])), Speakers(exact=5), Rules())

    assert len(found.centroids) == 2


def test_who_sounds_alike_on_a_bad_line_is_told_apart_by_speaking_side_by_side():
    who = np.arange(80) % 2
    alike = pieces(who, alike=1.2, noise=0.55)
    apart = group(alike, Speakers(), Rules(rivalry=0.4))

    assert len(apart.centroids) == 2
    assert len(group(alike, Speakers(), Rules(rivalry=0.0)).centroids) == 1


def test_blocks_find_what_one_block_finds():
    who = talk(6, 2 * BLOCK + 100)
    given = pieces(who)
    labels = link(given.vectors, given.seconds, Bar(0.6, 0.45, 0.75, 10), NONE)

    assert len(np.unique(labels)) == 6
    assert len({(int(a), int(b)) for a, b in zip(who, labels, strict=True)}) == 6


def test_hours_of_ten_speakers_are_grouped_in_little_memory():
    who = talk(10, 9_600)  # pieces of 1.5 s: four hours
    given = pieces(who)
    tracemalloc.start()
    found = group(given, Speakers(), Rules())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(found.centroids) == 10
    assert peak < 100e6  # the distances of all would be 740 MB


@pytest.mark.parametrize("known", [Speakers(), Speakers(exact=2), Speakers(minimum=2)])
def test_a_number_that_is_told_splits_nobody_where_as_many_are_heard(known):
    heard = pieces(np.array([0] * 20 + [1]))  # the last one speaks only while another does
    seconds = np.array([1.5] * 20 + [0.0])
    given = replace(heard, seconds=seconds)
    at_once = OverlappedVoices(np.array([[19, 20]]), np.array([1.0]))
    found = group(given, known, Rules(), together=at_once)

    assert len(set(found.speaker[:20].tolist())) == 1
    assert found.speaker[20] != found.speaker[19]
