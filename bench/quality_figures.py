"""Figures of bench/quality.py: how right words and speakers are, by set and layout."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bench.diarization_error import Seconds, cp_errors, errors
from bench.quality_sets import Case
from bench.quality_ways import Heard
from bench.word_errors import WordErrors, matched, normalized, word_errors

_WORD = re.compile(r"\S+")
# Thai, Lao, Burmese, Khmer, kana and Chinese characters: scripts that put no blanks between words
_WITHOUT_BLANKS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u4e00-\u9fff]")


@dataclass(frozen=True)
class Both:
    """One set in one layout: word errors of Escriba and of the plain engine."""

    part: str
    layout: str
    ours: WordErrors
    plain: WordErrors

    @property
    def points_worse(self) -> float:
        """WER of Escriba over that of the plain engine, in percentage points."""
        return 100 * (self.ours.wer - self.plain.wer)


@dataclass
class Numbers:
    """In how many recordings the number of speakers is right, of how many."""

    right: int = 0
    counted: int = 0

    @property
    def share(self) -> float | None:
        """None where nothing was counted."""
        return self.right / self.counted if self.counted else None


@dataclass
class Speakers:
    """What the diarizer found, by set and layout, over all recordings with known turns."""

    seconds: dict[tuple[str, str], Seconds] = field(default_factory=dict)
    numbers: dict[tuple[str, str], Numbers] = field(default_factory=dict)
    cp_errors: int = 0
    cp_words: int = 0

    def der(self, part: str = "") -> float | None:
        """DER without collar over all sets, or those that have `part` in their name, or None."""
        chosen = [seconds for (name, _), seconds in self.seconds.items() if part in name]
        if not chosen:
            return None
        return sum(chosen[1:], start=chosen[0]).rate.der

    @property
    def right(self) -> float | None:
        """The share of all recordings in which the number of speakers is right."""
        of = self.numbers.values()
        return Numbers(sum(one.right for one in of), sum(one.counted for one in of)).share


def by_set(
    cases: Sequence[Case], ours: Mapping[str, Heard], plain: Mapping[str, Heard]
) -> list[Both]:
    """Word errors by set and layout, in the order of the cases; sets without words apart."""
    sums: dict[tuple[str, str], list[WordErrors]] = {}
    for case in cases:
        if not case.reference:
            continue
        said = normalized(case.reference, case.language)
        entry = sums.setdefault((case.part, case.layout), [WordErrors(), WordErrors()])
        for i, way in enumerate((ours, plain)):
            entry[i] += word_errors(said, normalized(way[case.name].text, case.language))
    return [Both(part, layout, *both) for (part, layout), both in sums.items()]


def removed_true_words(cases: Sequence[Case], ours: Mapping[str, Heard]) -> tuple[int, int]:
    """Words that were said, written and then taken out; and all words that were said.

    What is kept and what was taken out are put in order of time and aligned with the reference.
    """
    gone = total = 0
    for case in cases:
        said = normalized(case.reference, case.language)
        total += len(said)
        if not said or not ours[case.name].removed:
            continue
        told = [(start, text, False) for start, _, text, _ in ours[case.name].words]
        told += [(start, text, True) for start, text in ours[case.name].removed]
        written, is_removed = [], []
        for _, text, taken in sorted(told, key=lambda one: one[0]):
            words = normalized(text, case.language)
            written += words
            is_removed += [taken] * len(words)
        gone += sum(is_removed[i] for i in matched(said, written))
    return gone, total


def words_on_no_speech(cases: Iterable[Case], heard: Mapping[str, Heard]) -> int:
    """Words that were written where there is no speech."""
    silent = (case for case in cases if case.layout != "turns" and not case.reference)
    return sum(len(heard[case.name].text.split()) for case in silent if case.name in heard)


def blanks_inside_words(
    cases: Iterable[Case], ours: Mapping[str, Heard], plain: Mapping[str, Heard]
) -> int:
    """Blanks of Escriba that the same model's own text has in no recording of the set.

    `well -known` is one where the plain engine wrote `well-known` and never `well -known`.
    """
    parts: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        if case.name in plain:
            parts[case.part].append(case.name)
    return sum(
        _split_words([ours[name].text for name in names], [plain[name].text for name in names])
        for names in parts.values()
    )


def _split_words(ours: Iterable[str], plain: Iterable[str]) -> int:
    texts = [_WORD.findall(text.casefold()) for text in plain]
    whole = {word for words in texts for word in words}
    apart = {pair for words in texts for pair in pairwise(words)}
    return sum(
        # letters alone may be two words at one place and one at another: every one, everyone
        ("".join(pair) in whole and pair not in apart and not "".join(pair).isalpha())
        or bool(_WITHOUT_BLANKS.match(pair[0][-1]) and _WITHOUT_BLANKS.match(pair[1][0]))
        for text in ours
        for pair in pairwise(_WORD.findall(text.casefold()))
    )


def speakers(cases: Iterable[Case], ours: Mapping[str, Heard]) -> Speakers:
    """DER and number where turns are known, cpWER where the words of several people are, too."""
    found = Speakers()
    for case in cases:
        truth, key = case.turns, (case.part, case.layout)
        if truth is None:
            continue
        turns = [(start / 1000, end / 1000, who) for start, end, who in ours[case.name].turns]
        seconds, numbers = errors(truth, turns), found.numbers.setdefault(key, Numbers())
        found.seconds[key] = found.seconds[key] + seconds if key in found.seconds else seconds
        numbers.counted += 1
        numbers.right += len({who for *_, who in turns}) == case.speakers
        if case.rttm is None and len(case.said) > 1 and len({who for *_, who in truth}) > 1:
            said, written = _by_speaker(case), _written_by_speaker(case, ours[case.name])
            found.cp_errors += cp_errors(said, written)
            found.cp_words += sum(map(len, said.values()))
    return found


def _by_speaker(case: Case) -> dict[str, list[str]]:
    said: dict[str, list[str]] = defaultdict(list)
    for each in case.said:
        said[each.speaker] += normalized(each.text, case.language)
    return said


def _written_by_speaker(case: Case, heard: Heard) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = defaultdict(list)
    for _, _, text, speaker in heard.words:
        texts[speaker].append(text)
    return {who: normalized(" ".join(words), case.language) for who, words in texts.items()}
