import numpy as np

from gpu_job.diarize.light.clustering import Grouped
from gpu_job.diarize.light.inference import Heard, Pieces, _pieces
from gpu_job.diarize.light.turns import JOIN_MS, joined, turns_of

FRAME = 160_000 / 589  # samples


def window(*spoken, frames=589, start=0):
    active = np.zeros((frames, 3), np.uint8)
    for speaker, low, high in spoken:
        active[low:high, speaker] = 1
    return Heard(start, active, FRAME, active)


def pieces_of(heard, who):
    rows = [(i, *piece[:3]) for i, part in enumerate(heard) for piece in _pieces(part)]
    window, speaker, low, high = np.array(rows).T
    count = len(rows)
    pieces = Pieces(window, speaker, low, high, np.zeros((count, 192)), np.ones(count))
    return pieces, Grouped(np.array(who), np.zeros((max(who) + 1, 192)))


def test_a_short_pause_ends_no_turn_and_a_long_one_does():
    short, long = (2_000 + JOIN_MS, 3_000 + JOIN_MS, 0), (2_001 + JOIN_MS, 3_001 + JOIN_MS, 0)

    assert len(joined([(1_000, 2_000, 0), short])) == 1
    assert len(joined([(1_000, 2_000, 0), long])) == 2


def test_a_pause_in_which_another_speaks_ends_a_turn():
    found = joined([(1_000, 2_000, 0), (2_100, 2_600, 1), (2_700, 4_000, 0)])

    assert [one for _, _, one in found] == [0, 1, 0]


def test_turns_are_neither_longer_nor_shorter_than_what_was_heard():
    found = joined([(1_000, 2_000, 0), (2_040, 3_000, 1)])

    assert found == [(1_000, 2_000, 0), (2_040, 3_000, 1)]


def test_a_change_of_speakers_within_a_stretch_cuts_it():
    heard = [window((0, 0, 300))]
    pieces, found = pieces_of(heard, [0, 0, 1])

    assert [turn[2] for turn in turns_of(heard, pieces, found, 10_000, pieces.low)] == [0, 1]


def test_who_speaks_together_has_turns_that_overlap():
    heard = [window((0, 0, 300), (1, 200, 500))]
    pieces, found = pieces_of(heard, [0, 0, 1, 1])
    first, second = turns_of(heard, pieces, found, 10_000, pieces.low)

    assert first[1] > second[0] + 1_000
    assert (first[2], second[2]) == (0, 1)


def test_one_voice_in_two_windows_is_one_turn():
    heard = [window((0, 0, 442), frames=442), window((2, 0, 442), frames=442, start=120_000)]
    pieces, found = pieces_of(heard, [0] * 10)

    assert turns_of(heard, pieces, found, 15_000, pieces.low) == [(0, 15_000, 0)]
