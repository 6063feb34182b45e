"""Clusters voiceprints into speakers; their number is found or given."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...contract import Speakers
from ..base import Check
from ..chunks import Floats, Indices
from .inference import PIECE_SECONDS, Pieces
from .linkage import Bar, Rivals, centroids_of, link, means_of
from .overlapped_speech import OverlappedVoices, SpeakerLimits, with_strangers

Doubles = npt.NDArray[np.float64]

_OWN_LIKENESS = 0.6  # used if too few consecutive pieces exist to measure it
_FEWEST_PAIRS = 4
_LIKENESS_RANGE = (0.4, 0.8)  # 0.48 to 0.73 in 34 recordings
_RAISE, _HIGHEST = 0.05, 2.0  # of the threshold, if more speakers are requested than found


@dataclass(frozen=True)
class Rules:
    """Thresholds for merging voices, as fractions of the recording's own similarity (`Bar`).

    within: merges pieces of one speaker of one window, since the segmentation misses some changes
        of speakers.
    low, high: merge two clusters of voices into one speaker (`Bar`).
    full_share, full_seconds: the share of all speech from which a cluster is well known, with
        bounds: in a day of one voice, one minute may sound like a different person.
    rivalry: raises the threshold for voices heard side by side (`Rivals`).
    clear_seconds: of solo speech, for a voice to start a cluster; other voices join one.
    least_share, least_seconds: of all clear speech, with bounds; a cluster with less is merged.
    rounds: of assigning each voice to the nearest centroid and recomputing the centroids.
    together_seconds: of overlap in one window that prove two people; a single voice had at most
        0.1 s in 76 clips.
    other: minimum similarity to another speaker, for a voice that overlaps with its nearest one.
    stranger: maximum similarity to all speakers, for such a voice to be a new speaker.
    stranger_share, stranger_seconds: of all clear speech, with bounds; strangers with less overlap
        are not a new speaker.
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
    together: OverlappedVoices | None = None,
) -> Grouped:
    """The speakers of a recording.

    Args:
        pieces: Spans of one voice each; at least one.
        speakers: The known number of speakers, or bounds on it.
        rules: Thresholds for merging voices.
        check: Called between rounds, which take a minute for a day of audio with more speakers
            requested than found.
        together: Pairs of pieces with overlapping speakers.
    """
    weight = np.maximum(pieces.seconds, 0.1)
    own = likeness(pieces)
    voice = _voices(pieces, weight, own * rules.within)
    count = int(voice.max()) + 1
    means = means_of(pieces.vectors, weight, voice, count)
    seconds = np.bincount(voice, pieces.seconds, minlength=count)
    given = _clear_voices(pieces, voice, means, seconds, rules)
    bar, least, limits = _bounds(own, seconds.sum(), speakers, rules)
    at_once = (together or OverlappedVoices.never()).of_voices(voice, rules.together_seconds)
    wanted = min(speakers.exact or speakers.minimum or 1, len(given.means))
    for number in (1, wanted):  # force more only if not enough are found
        asked = Speakers(minimum=number, maximum=limits.most)
        centroids = _refined(given, _centroids(given, bar, asked, least, check), rules.rounds)
        who, centroids = with_strangers(means, seconds, centroids, at_once, limits)
        if len(centroids) >= wanted:
            break
    return Grouped(who[voice], centroids)


def likeness(pieces: Pieces) -> float:
    """The typical cosine of two pieces of one voice: the median of consecutive pieces."""
    after = (pieces.window[1:] == pieces.window[:-1]) & (pieces.speaker[1:] == pieces.speaker[:-1])
    long = pieces.seconds >= PIECE_SECONDS / 2
    pairs = np.flatnonzero(after & long[1:] & long[:-1])
    if len(pairs) < _FEWEST_PAIRS:
        return _OWN_LIKENESS
    found = np.median((pieces.vectors[pairs] * pieces.vectors[pairs + 1]).sum(1))
    return float(np.clip(found, *_LIKENESS_RANGE))


def _voices(pieces: Pieces, weight: Doubles, least: float) -> Indices:
    """A number for each voice of a window: one per speaker, more if pieces differ."""
    result = np.zeros(len(weight), np.intp)
    key = pieces.window * 3 + pieces.speaker
    edges = np.flatnonzero(np.diff(key)) + 1
    bar, no_rivals = Bar(1.0, least, least, 1.0), Rivals(np.zeros((0, 2), np.intp), 0.0)
    count = 0
    for rows in np.split(np.arange(len(weight)), edges):
        labels = link(pieces.vectors[rows], weight[rows], bar, no_rivals)
        result[rows] = labels + count
        count += int(labels.max()) + 1
    return result


@dataclass(frozen=True)
class _Voices:
    """Means of unit vectors (n, 192), their seconds (n,), and voices heard side by side."""

    means: Floats
    seconds: Doubles
    rivals: Rivals


def _clear_voices(
    pieces: Pieces, voice: Indices, means: Floats, seconds: Doubles, rules: Rules
) -> _Voices:
    """The voices that speak long enough to start a cluster; all, if none does."""
    first = np.unique(voice, return_index=True)[1]
    clear = np.flatnonzero(seconds >= rules.clear_seconds)
    if len(clear) == 0:
        clear = np.arange(len(seconds))
    side = _side_by_side(pieces.window[first][clear], pieces.speaker[first][clear])
    return _Voices(means[clear], np.maximum(seconds[clear], 0.1), Rivals(side, rules.rivalry))


def _bounds(
    own: float, total_seconds: float, speakers: Speakers, rules: Rules
) -> tuple[Bar, float, SpeakerLimits]:
    """The rules scaled to this recording: threshold, minimum seconds of a speaker, limits."""
    full = float(np.clip(rules.full_share * total_seconds, *rules.full_seconds))
    least = float(np.clip(rules.least_share * total_seconds, *rules.least_seconds))
    limits = SpeakerLimits(
        other=own * rules.other,
        stranger=own * rules.stranger,
        seconds=float(np.clip(rules.stranger_share * total_seconds, *rules.stranger_seconds)),
        most=speakers.exact or speakers.maximum,
    )
    return Bar(own, rules.low, rules.high, full), least, limits


def _refined(given: _Voices, centroids: Floats, rounds: int) -> Floats:
    """Assign voices to the nearest centroid and recompute, in rounds; empty centroids stay."""
    for _ in range(rounds):
        near = np.argmax(given.means @ centroids.T, axis=1)
        updated = centroids_of(given.means, given.seconds, near, len(centroids))
        centroids = np.where(updated.any(1, keepdims=True), updated, centroids)
    return centroids


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
    """Merge the two nearest centroids while there are too many."""
    while most and len(centroids) > most:
        likeness = centroids @ centroids.T - 2 * np.eye(len(centroids))
        i, j = np.unravel_index(np.argmax(likeness), likeness.shape)
        both = centroids[i] * spoken[i] + centroids[j] * spoken[j]
        centroids[i], spoken[i] = both / np.linalg.norm(both), spoken[i] + spoken[j]
        centroids, spoken = np.delete(centroids, j, 0), np.delete(spoken, j)
    return centroids
