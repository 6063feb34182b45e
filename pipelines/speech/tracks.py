"""Which sound of a file with several is transcribed.

A number that somebody gave; else the tracks in the wanted language, where the file names languages;
among these the one marked as default, or the first, unless it holds next to no speech where another
does: OBS writes a silent desktop first and the microphone second. Commentaries and descriptions for
the blind stand back. What was chosen, and what is left out, is always told.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.stream import Disposition

from pipelines.speech.audio_errors import NoSuchTrack, UnknownCodec
from pipelines.speech.recording_warnings import RecordingWarning

Hears = Callable[[npt.NDArray[np.int16]], float]  # of mono at 16 kHz: its share of speech, 0 to 1

ASIDE: Final = (
    Disposition.comment
    | Disposition.visual_impaired
    | Disposition.descriptions
    | Disposition.karaoke
)
LOUD: Final = 10 ** (-50 / 20) * 32768  # RMS of a window: -50 dBFS
WINDOW: Final = 512  # samples: 32 ms, as the detector's
CLEARLY_LESS: Final = 0.25  # speech by the most of any track; dubs and microphones differ by less
_LANGUAGE: Final = re.compile("[a-z]{2,3}")
# ISO 639-2, both kinds, to Whisper's codes; what is not here is compared as it stands.
_LANGUAGES: Final = """
    af:afr am:amh ar:ara az:aze be:bel bg:bul bn:ben bs:bos ca:cat cs:cze,ces cy:wel,cym
    da:dan de:ger,deu el:gre,ell en:eng es:spa et:est eu:baq,eus fa:per,fas fi:fin fr:fre,fra
    gl:glg gu:guj he:heb hi:hin hr:hrv hu:hun hy:arm,hye id:ind is:ice,isl it:ita ja:jpn
    ka:geo,kat kk:kaz km:khm kn:kan ko:kor lo:lao lt:lit lv:lav mi:mao,mri mk:mac,mkd ml:mal
    mn:mon mr:mar ms:may,msa mt:mlt my:bur,mya ne:nep nl:dut,nld no:nor,nob pa:pan pl:pol ps:pus
    pt:por ro:rum,ron ru:rus si:sin sk:slo,slk sl:slv so:som sq:alb,sqi sr:srp sv:swe sw:swa
    ta:tam te:tel tg:tgk th:tha tl:tgl,fil tr:tur uk:ukr ur:urd uz:uzb vi:vie yi:yid yue:yue
    zh:chi,zho,cmn
"""
THREE_LETTERS: Final = {
    code: short
    for short, codes in (pair.split(":") for pair in _LANGUAGES.split())
    for code in codes.split(",")
}


@dataclass(frozen=True)
class TrackWish:
    """What is wished: a number (1 is the first sound), or a language such as `pt`, or nothing."""

    number: int | None = None
    language: str = ""


ANY_TRACK: Final = TrackWish()


@dataclass(frozen=True)
class Choice:
    """A track, by its number, and what is to be said of it."""

    number: int
    warnings: tuple[RecordingWarning, ...] = ()


def loud_share(samples: npt.NDArray[np.int16]) -> float:
    """The share of windows that are no silence; where nobody has a detector of speech."""
    whole = samples[: len(samples) // WINDOW * WINDOW].astype(np.float32).reshape(-1, WINDOW)
    return float((np.sqrt((whole**2).mean(1)) > LOUD).mean()) if len(whole) else 0.0


def is_known(stream: AudioStream) -> bool:
    """Whether something here decodes it."""
    return stream.codec_context is not None


def candidates(sounds: Sequence[AudioStream], language: str) -> list[int]:
    """Numbers of the tracks that may be chosen, the likeliest first."""
    able = [number for number, stream in enumerate(sounds, 1) if is_known(stream)]
    wanted = [n for n in able if language and language_of(sounds[n - 1]) == language]
    main = [n for n in wanted or able if not sounds[n - 1].disposition & ASIDE]
    return sorted(
        main or wanted or able, key=lambda n: not sounds[n - 1].disposition & Disposition.default
    )


def named(sounds: Sequence[AudioStream], number: int) -> Choice:
    """The track that somebody asked for; the only one of a file that has one, whatever its number.

    Raises:
        NoSuchTrack: the file has fewer.
        UnknownCodec: nothing here decodes it.
    """
    if len(sounds) == 1 and number > 1:
        message = f"Track {number} was asked for; the file holds one sound, which is transcribed."
        return Choice(1, (RecordingWarning(code="no_such_track", message=message),))
    if not 1 <= number <= len(sounds):
        raise NoSuchTrack(f"track {number} was asked for, and the file has {len(sounds)}")
    if not is_known(sounds[number - 1]):
        raise UnknownCodec(f"nothing here decodes track {number}, which was asked for")
    return Choice(number)


def best(
    sounds: Sequence[AudioStream], able: Sequence[int], shares: Mapping[int, float | None]
) -> Choice:
    """The first of the candidates, or one that clearly holds more; told where there are several.

    Args:
        sounds: All of the file.
        able: From `candidates`.
        shares: How much speech each of them holds, where that was listened to; None: none decodes.
    """
    sounding = [n for n in able if shares.get(n, 0.0) is not None] or list(able)
    heard = {n: shares.get(n) or 0.0 for n in sounding}
    most = max(sounding, key=lambda n: heard[n])
    chosen = sounding[0] if heard[sounding[0]] >= CLEARLY_LESS * heard[most] else most
    if len(sounds) == 1:
        return Choice(chosen)
    why = ""
    if chosen != able[0]:
        why = f" Track {able[0]} holds less speech." if able[0] in heard else ""
    unknown = [n for n, stream in enumerate(sounds, 1) if not is_known(stream)]
    if unknown:
        why += f" Nothing here decodes track {', '.join(map(str, unknown))}."
    message = (
        f"The file holds {len(sounds)} sound tracks: track {_described(sounds, chosen)} is "
        f"transcribed, and no other.{why}"
    )
    return Choice(chosen, (RecordingWarning(code="one_of_several_tracks", message=message),))


def language_of(stream: AudioStream) -> str:
    """Whisper's code of the language that the file names, or what it names; empty for none.

    Two or three letters (BCP 47): a file may hold any text there, and this is told to people.
    """
    told = (stream.metadata.get("language") or "").lower().replace("_", "-").partition("-")[0]
    if not _LANGUAGE.fullmatch(told) or told in {"und", "mul", "zxx"}:
        return ""
    return THREE_LETTERS.get(told, told)


def _described(sounds: Sequence[AudioStream], number: int) -> str:
    language = language_of(sounds[number - 1])
    return f"{number} ({language})" if language else str(number)
