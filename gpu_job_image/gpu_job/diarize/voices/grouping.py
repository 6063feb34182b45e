"""Which voices are whose: clusters of voiceprints, the number of speakers found or given."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...contract import Speakers
from ..base import Check
from ..pyannote.chunks import Floats, Indices
from .hearing import PIECE_SECONDS, Pieces
from .linkage import Bar, Rivals, centroids_of, link, means_of
from .together import Limits, Together, with_strangers

Doubles = npt.NDArray[np.float64]

_OWN_LIKENESS = 0.6  # where too few pieces follow one another to tell
_FEWEST_PAIRS = 4
_LIKENESS_RANGE = (0.4, 0.8)  # it was 0.48 to 0.73 in 34 recordings
_RAISE, _HIGHEST = 0.05, 2.0  # of the bar, where more speakers are asked for than are found


@dataclass(frozen=True)
class Rules:
    """What makes two voices one; likeness is a share of the recording's own (`Bar`).

    within: at which pieces of one speaker of one window are one voice: the segmentation does not
        hear each change of speakers.
    low, high: at which two clusters of voices are one speaker (`Bar`).
    full_share, full_seconds: the part of all speech from which on a cluster is known well, within
        bounds: in a day of one voice, a minute of it may sound like nobody else.
    rivalry: the bar rises by it for voices that were heard side by side (`Rivals`).
    clear_seconds: alone, for a voice to found a cluster; the others join one.
    least_share, least_seconds: of all clear speech, within bounds; who says less is one of the
        others.
    rounds: of giving each voice to the nearest centroid and taking the centroids anew.
    together_seconds: heard at once in one window, two are two people; of one voice alone it was
        0.1 s at most in 76 clips.
    other: how like another speaker a voice is at least that was heard together with its nearest.
    stranger: how like everybody a voice is at most that was heard so, to be a speaker more.
    stranger_share, stranger_seconds: of all clear speech, within bounds; heard together for less,
        strangers are no speaker.
    """

    within: float = 0.75
    low: float = 0.4
    high: float = 0.75
    full_share: float = 0.1
    full_seconds: tuple[float, float] = (10.0, 60.0)
    rivalry: float = 0.1
    clear_seconds: float = 0.6
    least_share: float = 0.025
    least_seconds: tuple[float, float] = (0.8, 4.0)
    rounds: int = 2
    together_seconds: float = 0.25
    other: float = 0.35
    stranger: float = 0.75
    stranger_share: float = 0.01
    stranger_seconds: tuple[float, float] = (0.25, 2.0)


@dataclass(frozen=True)
class Grouped:
    """The speaker of each piece (n,), and their unit centroids (speakers, 192)."""

    speaker: Indices
    centroids: Floats


def group(
    pieces: Pieces,
    speakers: Speakers,
    rules: Rules,
    check: Check = lambda: None,
    together: Together | None = None,
) -> Grouped:
    """The speakers of a recording.

    Args:
        pieces: Stretches of one voice each; at least one.
        speakers: How many, as far as somebody knows.
        rules: What makes two voices one.
        check: Called between rounds: those of a day, with more speakers asked for than are heard,
            take a minute.
        together: Pairs of pieces whose speakers were heard at once.
    """
    weight = np.maximum(pieces.seconds, 0.1)
    own = likeness(pieces)
    voice = _voices(pieces, weight, own * rules.within)
    count = int(voice.max()) + 1
    means = means_of(pieces.vectors, weight, voice, count)
    seconds = np.bincount(voice, pieces.seconds, minlength=count)
    first = np.unique(voice, return_index=True)[1]
    clear = np.flatnonzero(seconds >= rules.clear_seconds)
    if len(clear) == 0:
        clear = np.arange(count)
    side = _side_by_side(pieces.window[first][clear], pieces.speaker[first][clear])
    total = seconds.sum()
    bar = Bar(
        own, rules.low, rules.high, float(np.clip(rules.full_share * total, *rules.full_seconds))
    )
    given = _Voices(means[clear], np.maximum(seconds[clear], 0.1), Rivals(side, rules.rivalry))
    least = float(np.clip(rules.least_share * total, *rules.least_seconds))
    at_once = (together or Together.never()).of_voices(voice, rules.together_seconds)
    limits = Limits(
        other=own * rules.other,
        stranger=own * rules.stranger,
        seconds=float(np.clip(rules.stranger_share * total, *rules.stranger_seconds)),
        most=speakers.exact or speakers.maximum,
    )
    wanted = min(speakers.exact or speakers.minimum or 1, len(given.means))
    for number in (1, wanted):  # more are made only where not enough are heard
        centroids = _centroids(
            given, bar, Speakers(minimum=number, maximum=limits.most), least, check
        )
        for _ in range(rules.rounds):
            near = np.argmax(given.means @ centroids.T, axis=1)
            anew = centroids_of(given.means, given.seconds, near, len(centroids))
            centroids = np.where(anew.any(1, keepdims=True), anew, centroids)
        who, centroids = with_strangers(means, seconds, centroids, at_once, limits)
        if len(centroids) >= wanted:
            break
    return Grouped(who[voice], centroids)


def likeness(pieces: Pieces) -> float:
    """The cosine of two pieces of one voice: the median of those that follow one another."""
    after = (pieces.window[1:] == pieces.window[:-1]) & (pieces.speaker[1:] == pieces.speaker[:-1])
    long = pieces.seconds >= PIECE_SECONDS / 2
    pairs = np.flatnonzero(after & long[1:] & long[:-1])
    if len(pairs) < _FEWEST_PAIRS:
        return _OWN_LIKENESS
    found = np.median((pieces.vectors[pairs] * pieces.vectors[pairs + 1]).sum(1))
    return float(np.clip(found, *_LIKENESS_RANGE))


def _voices(pieces: Pieces, weight: Doubles, least: float) -> Indices:
    """A number for each voice of a window: one a speaker, more where pieces differ."""
    result = np.zeros(len(weight), np.intp)
    key = pieces.window * 3 + pieces.speaker
    edges = np.flatnonzero(np.diff(key)) + 1
    bar, nobody = Bar(1.0, least, least, 1.0), Rivals(np.zeros((0, 2), np.intp), 0.0)
    count = 0
    for rows in np.split(np.arange(len(weight)), edges):
        labels = link(pieces.vectors[rows], weight[rows], bar, nobody)
        result[rows] = labels + count
        count += int(labels.max()) + 1
    return result


@dataclass(frozen=True)
class _Voices:
    """Means of unit vectors (n, 192), their seconds (n,), and who was heard beside whom."""

    means: Floats
    seconds: Doubles
    rivals: Rivals


def _side_by_side(window: Indices, speaker: Indices) -> Indices:
    """The pairs of voices of different speakers of one window (m, 2)."""
    rows = np.arange(len(window))
    found = [np.zeros((0, 2), np.intp)]
    for apart in range(1, 7):
        if len(window) <= apart:
            break
        near = (window[:-apart] == window[apart:]) & (speaker[:-apart] != speaker[apart:])
        found.append(np.stack([rows[:-apart], rows[apart:]], 1)[near])
    return np.concatenate(found)


def _centroids(
    given: _Voices, bar: Bar, speakers: Speakers, least_seconds: float, check: Check
) -> Floats:
    wanted = min(speakers.exact or speakers.minimum or 1, len(given.means))
    most = speakers.exact or speakers.maximum
    while True:
        check()
        labels = link(given.means, given.seconds, bar, given.rivals)
        spoken = np.bincount(labels, given.seconds)
        kept = np.flatnonzero(spoken >= least_seconds)
        if len(kept) >= wanted or bar.low > _HIGHEST:
            break
        bar, most = bar.raised(_RAISE), wanted
    if len(kept) < wanted:
        kept = np.argsort(-spoken)[:wanted]
    centroids = centroids_of(given.means, given.seconds, labels, len(spoken))[kept]
    return _at_most(most, centroids, spoken[kept])


def _at_most(most: int | None, centroids: Floats, spoken: Doubles) -> Floats:
    """The two nearest become one, while there are too many."""
    while most and len(centroids) > most:
        likeness = centroids @ centroids.T - 2 * np.eye(len(centroids))
        i, j = np.unravel_index(np.argmax(likeness), likeness.shape)
        both = centroids[i] * spoken[i] + centroids[j] * spoken[j]
        centroids[i], spoken[i] = both / np.linalg.norm(both), spoken[i] + spoken[j]
        centroids, spoken = np.delete(centroids, j, 0), np.delete(spoken, j)
    return centroids
