"""Synthesise the demo recordings from their scripts, and show what the models make of them.

python -m demo.training.recordings synthesise --folder demo/recordings
python -m demo.training.recordings transcribe --folder demo/recordings \
        --speech whisper-demo --speaker demo/models/speaker-demo.onnx
"""

import argparse
import random
from pathlib import Path

from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio
from faster_whisper.transcribe import Segment

from demo.training.conversations import Room, converse
from demo.training.espeak import SAMPLE_RATE, Espeak
from demo.training.evaluate_speakers import Speakers
from demo.training.evaluate_speech import RECOMMENDED
from demo.training.media import Format, write_media
from demo.training.scores import word_error_rate
from demo.training.scripts import SpeakerTurn, read_script, write_rttm

FORMATS = {
    "english-2-voices": Format(".mp3", "mp3", 44_100, "stereo"),
    "english-3-voices": Format(".mp4", "aac", 48_000, "mono"),
    "portuguese-2-voices": Format(".m4a", "aac", 44_100, "mono"),
}
QUIET_ROOM = Room(noise=0.0005, pause_seconds=(0.4, 1.0))


def synthesise(folder: Path) -> None:
    """Speak every script of the folder; write a media file and an .rttm beside it."""
    espeak = Espeak()
    for name, kind in FORMATS.items():
        script = read_script(folder / f"{name}.txt")
        rng = random.Random(name)
        audio, said = converse(espeak, script.lines, script.voices, rng, QUIET_ROOM)
        path = (folder / name).with_suffix(kind.suffix)
        write_media(path, audio, kind)
        write_rttm(path.with_suffix(".rttm"), said)
        print(f"{path}: {len(audio) / SAMPLE_RATE:.1f} s, {path.stat().st_size / 1e3:.0f} kB")


def _speaker_of(segment: Segment, turns: list[SpeakerTurn]) -> str:
    """Who speaks most of the segment."""
    shares: dict[str, float] = {}
    for start, end, who in turns:
        overlap = max(0.0, min(end, segment.end) - max(start, segment.start))
        shares[who] = shares.get(who, 0.0) + overlap
    return max(shares, key=shares.__getitem__) if shares else "-"


def transcribe(folder: Path, speech: Path, speaker: Path) -> None:
    """Print what the two models make of each recording, and how many words are wrong."""
    model, speakers = (
        WhisperModel(str(speech), device="cpu", compute_type="int8"),
        Speakers(speaker),
    )
    for name, kind in FORMATS.items():
        audio = decode_audio(str((folder / name).with_suffix(kind.suffix)))
        found, info = model.transcribe(audio, **RECOMMENDED)
        segments, turns = list(found), speakers.turns(audio)
        wrong = word_error_rate(
            read_script(folder / f"{name}.txt").text, " ".join(s.text for s in segments)
        )
        print(f"\n{name}{kind.suffix}: language {info.language}, WER {wrong:.3f}")
        for segment in segments:
            who = _speaker_of(segment, turns)
            print(f"{segment.start:6.2f} {segment.end:6.2f} {who}: {segment.text.strip()}")


def main() -> None:
    """Synthesise or transcribe, as the command line says."""
    parser = argparse.ArgumentParser(description="Make or transcribe the demo recordings.")
    parser.add_argument("what", choices=["synthesise", "transcribe"])
    parser.add_argument("--folder", type=Path, default=Path("demo/recordings"))
    parser.add_argument("--speech", type=Path, help="model folder, to transcribe")
    parser.add_argument("--speaker", type=Path, default=Path("demo/models/speaker-demo.onnx"))
    options = parser.parse_args()
    if options.what == "synthesise":
        synthesise(options.folder)
    elif options.speech is None:
        parser.error("transcribe needs --speech, a folder with model.bin")
    else:
        transcribe(options.folder, options.speech, options.speaker)


if __name__ == "__main__":
    main()
