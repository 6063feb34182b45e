"""The recordings of a folder of speech, single, joined and with turns, for bench/quality.py.

What a folder holds is told in docs/quality.md. A set is what lies in one folder below it, in one
language; joined, its clips make a long recording in each of three layouts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.diarization_error import Span, read_rttm
from bench.filter import silent_recordings
from bench.speech_sets import KINDS, PAUSES_SECONDS, Clip, Said, all_clips_of, clips_of, recordings
from bench.worker_bucket import write

LAYOUTS = KINDS
AUDIO = (".flac", ".wav", ".ogg", ".opus", ".mp3", ".m4a")


@dataclass(frozen=True)
class Case:
    """One recording, and what is said in it.

    name: a file name of its own. part: the set. layout: one of LAYOUTS, or `turns`: an RTTM is all
    that is known of it. rttm: who speaks when, where that is known.
    """

    name: str
    part: str
    layout: str
    audio: Path
    language: str = ""
    said: tuple[Said, ...] = ()
    rttm: Path | None = None

    @property
    def reference(self) -> str:
        """All that is said, in order."""
        return " ".join(each.text for each in self.said)

    @property
    def turns(self) -> Sequence[Span] | None:
        """Who speaks when; None if unknown, or if there is no speech.

        Of a clip by itself and of joined ones: each clip, without the quiet at its two ends.
        """
        if self.rttm is not None:
            return read_rttm(self.rttm)
        spoken = [each for each in self.said if each.text]
        if not spoken or not all(each.speaker for each in spoken):
            return None
        return [(*(ms / 1000 for ms in each.voice_ms), each.speaker) for each in spoken]

    @property
    def speakers(self) -> int | None:
        """The number of speakers; None if unknown."""
        return None if self.turns is None else len({speaker for *_, speaker in self.turns})


def read_cases(folder: Path, scratch: Path, *, quick: bool, seed: int = 1) -> list[Case]:
    """All recordings of a folder, and what is joined of them, written to `scratch`.

    `quick` leaves out the layouts `tight` and `sparse`, and three of four single clips.

    Raises:
        SystemExit: there is no manifest, or a line of it is none.
    """
    clips = all_clips_of(folder)
    told = {clip.path for clip in clips}
    singles = [_single(clip, folder) for clip in (clips[::4] if quick else clips)]
    joined = [
        case
        for layout in (["gaps"] if quick else PAUSES_SECONDS)
        for case in _joined(clips, layout, scratch, seed)
    ]
    turns = [case for case in _with_turns(folder) if case.audio not in told]
    return [*singles, *joined, *turns]


def without_words(folder: Path, scratch: Path, *, quick: bool) -> Iterator[Case]:
    """Sounds without words, made of noise and of a folder's voices; on `scratch`.

    `quick`: one level of each kind instead of three.
    """
    for kind, recording in silent_recordings(clips_of(folder), quick=quick):
        name = f"{recording.name}.flac".replace(" ", "-").replace("/", "__")
        write(scratch / name, [recording.sound.reshape(1, -1)])
        yield Case(name, f"no speech: {kind}", "single", scratch / name)


def _single(clip: Clip, folder: Path) -> Case:
    rttm = clip.path.with_suffix(".rttm")
    return Case(
        name=_name(clip.path, folder),
        part=clip.group,
        layout="single",
        audio=clip.path,
        language=clip.language,
        said=next(recordings([clip], "single")).said,
        rttm=rttm if rttm.is_file() else None,
    )


def _joined(clips: Sequence[Clip], layout: str, scratch: Path, seed: int) -> Iterator[Case]:
    spoken = [clip for clip in clips if clip.reference]
    for recording in recordings(spoken, layout, seed):
        if len(recording.said) > 1:
            path = scratch / f"{recording.name}.flac"
            write(path, [recording.sound.reshape(1, -1)])
            part, language = recording.group, recording.language
            yield Case(path.name, part, layout, path, language, recording.said)


def _with_turns(folder: Path) -> Iterator[Case]:
    """Audio with an RTTM beside it."""
    for rttm in sorted(folder.rglob("*.rttm")):
        for audio in sorted(rttm.parent.glob(f"{rttm.stem}.*")):
            if audio.suffix in AUDIO:
                path = audio.relative_to(folder)
                part = path.parent.as_posix() if path.parent.name else path.stem
                yield Case(_name(audio, folder), part, "turns", audio, rttm=rttm)


def _name(audio: Path, folder: Path) -> str:
    return audio.relative_to(folder).as_posix().replace("/", "__")
