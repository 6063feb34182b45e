"""Words and speakers on real speech: Escriba beside the engine it is made of, and its last release.

`python -m bench.quality [--quick] [--json] [--speech FOLDER]`. FOLDER (`../shared/speech`) has
`manifest.jsonl` (file, language, speaker, reference; an empty reference: nobody speaks) and audio,
where wanted with an `.rttm` beside it. The clips of each set are also joined into long recordings,
with pauses of 0, 1 to 3, and 10 to 30 s, from a seed. Every recording goes through all stages of
the product with a real Whisper (bench/real_whisper.py), and through faster-whisper itself, one
window after another; its batched pipeline is there for the speed alone. Where the figures of the
last release are known for this folder (docs/quality.json), a worse one ends with exit status 1.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench import report
from bench.quality_figures import (
    Both,
    Speakers,
    blanks_inside_words,
    by_set,
    removed_true_words,
    speakers,
    words_on_no_speech,
)
from bench.quality_sets import Case, read_cases, without_words
from bench.quality_ways import SPEED_LAYOUTS, Heard, cases_of
from bench.real_whisper import NoRealWhisperError, real_whisper

ROOT = Path(__file__).parents[1]
LAST = ROOT / "docs" / "quality.json"
SPEECH = ROOT.parent / "shared" / "speech"
TELLING_WORDS = 100
Figures = dict[str, float | None]
# how much worse than the last release a figure may be: another machine's arithmetic turns words and
# speakers that are near the edge (docs/decisions/0016), and another core takes another time
LEEWAY: dict[str, float] = {
    "wer_minus_plain_max": 2.5,
    "deletions_ratio": 0.2,
    "words_on_no_speech": 100,  # a clip that runs backwards, more or less
    "true_words_removed_share": 0.001,
    "der": 0.02,
    "der_ami": 0.03,
    "cp_wer": 0.02,
    "speaker_count_right": 0.13,
    "blanks_inside_words": 0,
    "speed_ratio_to_batched": 0.3,
    "language_right": 0,
}
HIGHER_IS_BETTER = {"speaker_count_right", "speed_ratio_to_batched", "language_right"}
LANES = (("escriba",), ("batched", "plain"))  # one on each of two cores


def measure(cases: Sequence[Case], scratch: Path) -> dict[str, dict[str, Heard]]:
    """What each way makes of the recordings, two ways at a time, each on a core of its own.

    Raises:
        SystemExit: a way failed; with the end of what it said.
    """
    told = [
        {"name": case.name, "audio": str(case.audio), "language": case.language}
        | {"layout": case.layout}
        for case in cases
    ]
    (scratch / "cases.json").write_text(json.dumps(told), encoding="utf-8")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with (
        Progress(*columns, TimeElapsedColumn(), disable=not sys.stderr.isatty()) as bars,
        ThreadPoolExecutor(len(LANES)) as lanes,
    ):
        tasks = {
            way: bars.add_task(way, total=len(cases_of(way, told)))
            for lane in LANES
            for way in lane
        }

        def work(lane: Sequence[str]) -> None:
            for way in lane:
                _run(way, scratch, lambda way=way: bars.advance(tasks[way]))

        list(lanes.map(work, LANES))
    return {way: _heard(scratch / f"{way}.json") for lane in LANES for way in lane}


def _run(way: str, scratch: Path, tell: Callable[[], object]) -> None:
    with (scratch / f"{way}.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.quality_ways", way, str(scratch)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        for _ in process.stdout or ():
            tell()
    if process.wait():
        said = (scratch / f"{way}.log").read_text()[-2000:]
        raise SystemExit(f"bench.quality_ways {way} failed:\n{said}")


def _heard(file: Path) -> dict[str, Heard]:
    return {name: Heard(**one) for name, one in json.loads(file.read_text()).items()}


def figures_of(
    cases: Sequence[Case], heard: Mapping[str, Mapping[str, Heard]], both: Sequence[Both]
) -> tuple[Figures, Speakers]:
    """All figures by their names; None where the folder has nothing to tell one by."""
    ours, plain = heard["escriba"], heard["plain"]
    who = speakers(cases, ours)
    gone, said = removed_true_words(cases, ours)
    deleted = sum(one.plain.deletions for one in both)
    heard_apart = [case for case in cases if case.layout == "gaps" and case.language]
    fast = [case.name for case in cases if case.layout in SPEED_LAYOUTS]
    seconds = sum(ours[name].seconds for name in fast)
    figures: Figures = {
        "wer_minus_plain_max": max((one.points_worse for one in _telling(both)), default=None),
        "deletions_ratio": sum(one.ours.deletions for one in both) / deleted if deleted else None,
        "words_on_no_speech": words_on_no_speech(cases, ours),
        "words_on_no_speech_plain": words_on_no_speech(cases, plain),
        "true_words_removed_share": gone / said if said else None,
        "der": who.der(),
        "der_ami": who.der("ami"),
        "cp_wer": who.cp_errors / who.cp_words if who.cp_words else None,
        "speaker_count_right": who.right,
        "blanks_inside_words": blanks_inside_words(cases, ours, plain),
        "speed_ratio_to_batched": sum(heard["batched"][name].seconds for name in fast) / seconds
        if seconds
        else None,
        "language_right": _share([ours[one.name].language == one.language for one in heard_apart]),
        "audio_s": sum(one.audio_ms for one in ours.values()) / 1000,
    }
    return {name: _rounded(value) for name, value in figures.items()}, who


def _telling(both: Sequence[Both]) -> Sequence[Both]:
    """Sets with so many words that one of them is a point at most; all, where none has."""
    return [one for one in both if one.ours.words >= TELLING_WORDS] or both


def _share(of: Sequence[bool]) -> float | None:
    return sum(of) / len(of) if of else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def worse(figures: Mapping[str, float | None], last: Mapping[str, float | None]) -> list[str]:
    """What is worse than it was, by more than the leeway, each as a sentence."""
    found = []
    for name, leeway in LEEWAY.items():
        now, before = figures.get(name), last.get(name)
        if now is None or before is None:
            continue
        loss = before - now if name in HIGHER_IS_BETTER else now - before
        if loss > leeway + 1e-9:
            found.append(f"{name} is {now:g}, and was {before:g}")
    return found


def folder_id(folder: Path, *, quick: bool) -> str:
    """Names a folder of speech by its manifest and audio, and the size of the measurement."""
    digest = hashlib.sha256((folder / "manifest.jsonl").read_bytes())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"{path.relative_to(folder)}:{path.stat().st_size};".encode())
    return f"{digest.hexdigest()[:16]}-{'quick' if quick else 'whole'}"


def _show(both: Sequence[Both], figures: Figures, who: Speakers, *, as_json: bool) -> None:
    rows: list[tuple[object, ...]] = [
        (
            f"{one.part}, {one.layout}",
            one.ours.words,
            one.ours.told,
            one.plain.told,
            f"{one.points_worse:+.2f}",
        )
        for one in both
    ]
    rows += [_of_speakers(who, key) for key in who.seconds]
    columns = ["set, layout", "words", "Escriba: WER % (sub/del/ins)", "plain", "points"]
    report.show("Words and speakers on real speech", columns, rows, figures, as_json=as_json)


def _of_speakers(who: Speakers, key: tuple[str, str]) -> tuple[object, ...]:
    part, layout = key
    rate, numbers = who.seconds[key].rate, who.numbers[key]
    parts = "/".join(f"{100 * share:.1f}" for share in rate[1:])
    right = f"number right in {numbers.right} of {numbers.counted}"
    return f"{part}, {layout}: speakers", "", f"DER {100 * rate.der:.1f} % ({parts})", right, ""


def main() -> None:
    parser = report.parser(__doc__)
    parser.add_argument("--speech", type=Path, default=SPEECH, help="folder with a manifest.jsonl")
    parser.add_argument(
        "--keep", type=Path, help="write these figures there, as the last release's"
    )
    parser.add_argument("--details", type=Path, help="write all that was heard there, as JSON")
    chosen = parser.parse_args()
    try:
        real_whisper()
    except NoRealWhisperError as error:
        raise SystemExit(str(error)) from None
    with tempfile.TemporaryDirectory(prefix="escriba-quality-") as name:
        cases = read_cases(chosen.speech, Path(name), quick=chosen.quick)
        cases += without_words(chosen.speech, Path(name), quick=chosen.quick)
        heard = measure(cases, Path(name))
    both = by_set(cases, heard["escriba"], heard["plain"])
    figures, who = figures_of(cases, heard, both)
    _show(both, figures, who, as_json=chosen.json)
    if chosen.details:
        told = {way: {n: asdict(one) for n, one in found.items()} for way, found in heard.items()}
        chosen.details.write_text(json.dumps(told), encoding="utf-8")
    known = json.loads(LAST.read_text()) if LAST.is_file() else {}
    key = folder_id(chosen.speech, quick=chosen.quick)
    if chosen.keep:
        chosen.keep.write_text(json.dumps(known | {key: figures}, indent=2) + "\n")
    if found := worse(figures, known.get(key, {})):
        raise SystemExit("worse than the last release: " + "; ".join(found))


if __name__ == "__main__":
    main()
