"""The ways that bench/quality.py compares, each run in a process of its own.

`python -m bench.quality_ways WAY FOLDER` works through FOLDER/cases.json and writes what it heard
to FOLDER/<way>.json. `escriba`: all stages of the product, in a bucket of its own. `plain`:
`WhisperModel.transcribe`, one window after another. `batched`: `BatchedInferencePipeline`.
All have the same real model, int8 on one thread; the other two are told the language.
"""

import asyncio
import json
import logging
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.quality_sets import LAYOUTS
from bench.real_whisper import MODELS, real_whisper
from bench.speech_ways import SEED

BY_EAR = ("gaps", "turns")  # layouts in which Escriba finds the language by itself
SPEED_LAYOUTS = ("tight", "gaps")
OPTIONS: dict[str, Any] = {
    "beam_size": 1,
    "condition_on_previous_text": False,
    "word_timestamps": True,
    "vad_filter": True,
}


@dataclass
class Heard:
    """What one way made of one recording.

    text: as people read it. words: start_ms, end_ms, text, speaker. removed: start_ms, text.
    turns: start_ms, end_ms, speaker. seconds: of decoding and computing; looking for speech is
    within it for all but Escriba, which does it before a GPU is leased.
    """

    text: str = ""
    words: list[tuple[int, int, str, str]] = field(default_factory=list)
    removed: list[tuple[int, str]] = field(default_factory=list)
    turns: list[tuple[int, int, str]] = field(default_factory=list)
    language: str = ""
    seconds: float = 0.0
    audio_ms: int = 0


def _engine(cases: list[dict[str, str]], *, batched: bool) -> dict[str, Heard]:
    from faster_whisper import BatchedInferencePipeline, WhisperModel  # noqa: PLC0415

    model = WhisperModel(str(real_whisper()), device="cpu", compute_type="int8", cpu_threads=1)
    options = OPTIONS | ({"batch_size": 8, "without_timestamps": False} if batched else {})
    found = {}
    for case in cases:
        engine: Any = BatchedInferencePipeline(model) if batched else model
        began = time.perf_counter()
        segments, told = engine.transcribe(
            case["audio"], language=case["language"] or None, **options
        )
        heard = list(segments)
        found[case["name"]] = Heard(
            text="".join(segment.text for segment in heard),
            words=[
                (round(1000 * word.start), round(1000 * word.end), word.word, "")
                for segment in heard
                for word in segment.words or ()
            ],
            language=told.language,
            seconds=time.perf_counter() - began,
            audio_ms=round(1000 * told.duration),
        )
        _tell()
    return found


def _escriba(cases: list[dict[str, str]], folder: Path) -> dict[str, Heard]:
    from assets.recordings.progress import LogProgress  # noqa: PLC0415
    from escriba.recordings import Recording  # noqa: PLC0415
    from escriba.settings import load_settings  # noqa: PLC0415
    from resources.diarizer_weights import install_voices  # noqa: PLC0415

    bucket, recordings = folder / "bucket", {}
    for case in cases:
        recordings[case["name"]] = Recording(_tenant(case), case["name"])
        target = bucket / recordings[case["name"]].inbox_key
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(case["audio"], target)
    wrong = install_voices(MODELS)
    if wrong:
        sys.stderr.write(f"The speakers are the toy's: {wrong}\n")
    settings = load_settings(
        storage_url=bucket.as_uri(),
        tenants_file=_tenants(cases, folder),
        model=str(real_whisper()),
        models_folder=MODELS,
        local_cpu_threads=1,
        cpu_slots=1,
    )
    progress = LogProgress(logging.getLogger("escriba"))
    storage = asyncio.run(_batches(settings, progress, list(recordings.values())))
    return {name: _read(storage, recording) for name, recording in recordings.items()}


async def _batches(settings: Any, progress: Any, recordings: list[Any]) -> Any:  # noqa: ANN401
    """All audio first, so that nothing else takes the worker's core; the bucket they are in."""
    from assets.recordings.batch import run_batch  # noqa: PLC0415
    from assets.recordings.run_context import open_run_context  # noqa: PLC0415
    from escriba.stages import OPTIMIZED_AUDIO, RAW_AUDIO, STAGES  # noqa: PLC0415

    for stages in ((RAW_AUDIO, OPTIMIZED_AUDIO), STAGES):
        run_context = open_run_context(settings, progress)
        last = stages is STAGES
        outcomes = await run_batch(
            run_context, recordings, stages, on_done=lambda _, last=last: _tell() if last else None
        )
        for outcome in outcomes:
            if outcome.failed is not None:
                raise SystemExit(f"{outcome.recording.name}: {outcome.failed.message}")
    return run_context.storage


def _tenant(case: dict[str, str]) -> str:
    by_ear = case["layout"] in BY_EAR or not case["language"]
    return "by-ear" if by_ear else f"told-{case['language'].lower()}"


def _tenants(cases: Iterable[dict[str, str]], folder: Path) -> Path:
    """Speakers are looked for in all."""
    lines = {"by-ear": "{language: auto, diarize: true}"} | {
        _tenant(case): f"{{language: {case['language'].lower()}, diarize: true}}"
        for case in cases
        if _tenant(case) != "by-ear"
    }
    path = folder / "tenants.yaml"
    path.write_text("tenants:\n" + "".join(f"  {name}: {line}\n" for name, line in lines.items()))
    return path


def _read(storage: Any, recording: Any) -> Heard:  # noqa: ANN401
    from escriba.transcripts.diarized import loads  # noqa: PLC0415
    from escriba.transcripts.plain_text import text_of_all  # noqa: PLC0415
    from gpu_job.contract import JobResult  # noqa: PLC0415

    joined = loads(storage.read(recording.transcript_key("diarized.json")) or b"")
    heard = Heard(
        text=text_of_all(joined.segments),
        words=[
            (word.start_ms, word.end_ms, word.text, word.speaker)
            for segment in joined.segments
            for word in segment.words
        ],
        removed=[(word.start_ms, word.text) for gone in joined.removed for word in gone.words],
        turns=[(turn.start_ms, turn.end_ms, turn.speaker) for turn in joined.turns],
        language=joined.language,
        audio_ms=joined.audio_ms,
    )
    body = storage.read(recording.transcript_key("transcript.json"))
    if body is not None and json.loads(body)["job"]:  # where nobody speaks there is none
        result = JobResult.model_validate_json(body)
        timings = result.usage.timings
        heard.seconds = timings.decode_seconds + timings.transcribe_seconds
    return heard


def _tell() -> None:
    sys.stdout.write(".\n")
    sys.stdout.flush()


WAYS: dict[str, Callable[[list[dict[str, str]], Path], dict[str, Heard]]] = {
    "escriba": _escriba,
    "plain": lambda cases, _: _engine(cases, batched=False),
    "batched": lambda cases, _: _engine(cases, batched=True),
}


def cases_of(way: str, cases: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """What a way works through: turns are for Escriba alone, and speed needs no more than some."""
    layouts = {"plain": LAYOUTS, "batched": SPEED_LAYOUTS}.get(way)
    return [case for case in cases if layouts is None or case["layout"] in layouts]


def main(way: str, folder: Path) -> None:
    import ctranslate2  # noqa: PLC0415

    ctranslate2.set_random_seed(SEED)  # plain tries a window again by sampling
    cases = cases_of(way, json.loads((folder / "cases.json").read_text(encoding="utf-8")))
    found = {name: asdict(heard) for name, heard in WAYS[way](cases, folder).items()}
    (folder / f"{way}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
