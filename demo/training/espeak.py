"""Speech from espeak-ng's C library, which tells when every word and phoneme is spoken.

Declarations follow espeak-ng's speak_lib.h, version 1.51.
"""

import ctypes
from dataclasses import asdict, dataclass
from functools import cache
from subprocess import run
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from demo.training.word_times import Clip, WordTime, word_times

SAMPLE_RATE = 16_000
OUTPUT_SYNCHRONOUS, PHONEME_EVENTS = 2, 1
EVENT_END, EVENT_WORD, EVENT_PHONEME = 0, 1, 7
RATE, VOLUME, PITCH, RANGE = 1, 2, 3, 4
UTF8, POSITION_CHARACTER = 1, 1
MISSING = "espeak-ng is not installed: `apt-get install espeak-ng` (1.51 made the shipped models)"


class EspeakMissingError(RuntimeError):
    """The system has no espeak-ng, neither the command nor libespeak-ng.so.1."""


class _EventId(ctypes.Union):
    _fields_: ClassVar = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("uid", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Voice:
    """A voice as espeak names it, such as `en-us+f3`, and how it speaks.

    `warp` above 1 shortens the vocal tract: the signal is resampled, which raises pitch and
    formants, and the speaking rate is compensated. Speed is in words a minute, pitch 0 to 99.
    """

    name: str = "en-us"
    speed: int = 160
    pitch: int = 50
    pitch_range: int = 50
    warp: float = 1.0


@dataclass(frozen=True)
class Spoken:
    """Mono 16 kHz audio that peaks at 0.5; words as written; phonemes with their starts."""

    audio: npt.NDArray[np.float32]
    words: list[WordTime]
    phones: list[tuple[str, float]]


@cache
def variants() -> list[str]:
    """The names of espeak's voice variants, sorted.

    Raises:
        EspeakMissingError: there is no `espeak-ng` command.
    """
    try:
        listing = run(["espeak-ng", "--voices=variant"], capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise EspeakMissingError(MISSING) from error
    lines = listing.stdout.splitlines()
    return sorted({line.split("!v/")[1].split()[0] for line in lines if "!v/" in line})


class Espeak:
    """The library, initialised once in a process; one sentence at a time."""

    def __init__(self) -> None:
        try:
            self._library = ctypes.CDLL("libespeak-ng.so.1")
        except OSError as error:
            raise EspeakMissingError(MISSING) from error
        self.rate = self._library.espeak_Initialize(OUTPUT_SYNCHRONOUS, 0, None, PHONEME_EVENTS)
        self._callback = _Callback(self._hear)  # kept: the library holds no reference
        self._library.espeak_SetSynthCallback(self._callback)
        self._forget()

    def _forget(self) -> None:
        self._pieces: list[npt.NDArray[np.int16]] = []
        self._words: list[tuple[int, float]] = []
        self._phones: list[tuple[str, float]] = []

    def _hear(self, wave: Any, samples: int, events: Any) -> int:  # noqa: ANN401  ctypes pointers
        if wave and samples > 0:
            self._pieces.append(np.ctypeslib.as_array(wave, (samples,)).copy())
        i = 0
        while (event := events[i]).type != EVENT_END:
            if event.type == EVENT_WORD:
                self._words.append((event.text_position - 1, event.sample / self.rate))
            elif event.type == EVENT_PHONEME:
                name = event.id.string.decode("utf8", "ignore")
                self._phones.append((name, event.sample / self.rate))
            i += 1
        return 0

    def _synthesise(self, text: str, voice: Voice) -> npt.NDArray[np.float32]:
        """The raw samples at 16 kHz; marks arrive through the callback meanwhile."""
        self._forget()
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice.name!r} (from {asdict(voice)})")
        speed = int(voice.speed / voice.warp)
        for parameter, value in (
            (RATE, speed),
            (PITCH, voice.pitch),
            (RANGE, voice.pitch_range),
            (VOLUME, 100),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        raw = text.encode() + b"\0"
        self._library.espeak_Synth(raw, len(raw), 0, POSITION_CHARACTER, 0, UTF8, None, None)
        samples = np.concatenate(self._pieces).astype(np.float32) / 32768
        if self.rate != 22_050:
            return samples
        return resample_poly(samples, 320, round(441 * voice.warp))

    def say(self, text: str, voice: Voice) -> Spoken:
        """Speak one sentence, trimmed to what is louder than 1.5 % of its peak.

        Raises:
            ValueError: espeak-ng has no such voice.
        """
        samples = self._synthesise(text, voice)
        loud = np.flatnonzero(np.abs(samples) > 0.015 * np.abs(samples).max())
        first, last = max(0, loud[0] - 160), min(len(samples), loud[-1] + 480)
        audio = samples[first:last]
        clip = Clip(first / SAMPLE_RATE, last / SAMPLE_RATE, len(audio) / SAMPLE_RATE)
        marks = [(at, t / voice.warp) for at, t in self._words]
        phones = [(p, max(0.0, t / voice.warp - clip.start_seconds)) for p, t in self._phones]
        audio = (0.5 * audio / np.abs(audio).max()).astype(np.float32)
        return Spoken(audio, word_times(text, marks, clip), phones)
