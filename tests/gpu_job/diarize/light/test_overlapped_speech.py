"""Two who are heard at once are two people."""

import numpy as np
import pytest

from gpu_job.diarize.light.inference import Heard, Pieces, _pieces
from gpu_job.diarize.light.overlapped_speech import (
    OverlappedVoices,
    SpeakerLimits,
    heard_at_once,
    with_strangers,
)

FRAME = 160_000 / 589  # samples: 17 ms
LIMITS = SpeakerLimits(other=0.2, stranger=0.45, seconds=0.25)
A, B, C = np.eye(3, dtype=np.float32)


def mix(*parts):
    total = sum(share * voice for share, voice in parts)
    return total / np.linalg.norm(total)


def together(*pairs):
    rows = np.array([pair[:2] for pair in pairs], np.intp).reshape(-1, 2)
    return OverlappedVoices(rows, np.array([pair[2] for pair in pairs], float))


def people(voices, centroids, at_once, limits=LIMITS, alone=None):
    seconds = np.array(alone or [3.0] + [0.0] * (len(voices) - 1))
    who, found = with_strangers(np.stack(voices), seconds, np.stack(centroids), at_once, limits)
    return who.tolist(), len(found)


def test_a_stretch_of_two_at_once_is_told_by_the_nearest_pieces_of_both():
    active = np.zeros((589, 3), np.uint8)
    active[0:300, 0] = 1
    active[280:589, 1] = 1
    part = Heard(0, active, FRAME, active)
    rows = [(0, *piece[:3]) for piece in _pieces(part)]
    pieces = Pieces(*np.array(rows).T, np.zeros((len(rows), 192)), np.ones(len(rows)))
    found = heard_at_once([part], pieces)

    (first, second) = found.pairs[0]
    assert (pieces.high[first], pieces.low[second]) == (280, 300)
    assert found.seconds == pytest.approx([20 * 0.017], abs=0.001)


def test_who_speaks_while_another_does_is_the_other_speaker_that_it_is_like():
    voices = [A, mix((0.8, A), (0.6, B))]  # of what both say at once, more is of the louder one

    assert people(voices, [A, B], together((0, 1, 1.0))) == ([0, 1], 2)
    assert people(voices, [A, B], OverlappedVoices.never()) == ([0, 0], 2)


def test_who_is_like_nobody_and_speaks_while_another_does_is_one_more():
    voices = [A, mix((0.4, A), (0.9, C))]

    assert people(voices, [A], together((0, 1, 1.0))) == ([0, 1], 2)
    assert people(voices, [A], together((0, 1, 0.2))) == ([0, 0], 1)  # too short to be sure


def test_a_voice_that_an_echo_doubles_is_no_second_speaker():
    assert people([A, mix((0.9, A), (0.4, C))], [A], together((0, 1, 2.0))) == ([0, 0], 1)


def test_there_are_never_more_than_somebody_says():
    limits = SpeakerLimits(other=0.2, stranger=0.45, seconds=0.25, most=1)

    assert people([A, mix((0.4, A), (0.9, C))], [A], together((0, 1, 1.0)), limits) == ([0, 0], 1)


def test_short_stretches_of_two_voices_add_up():
    at_once = together((0, 2, 0.2), (1, 2, 0.2), (1, 3, 0.1))
    found = at_once.of_voices(np.array([0, 0, 1, 2]), 0.25)

    assert found.pairs.tolist() == [[0, 1]]
    assert found.seconds == pytest.approx([0.4])
