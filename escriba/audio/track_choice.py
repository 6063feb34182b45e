"""Chooses the audio track to transcribe from a file with several.

A requested number wins. Otherwise the tracks in the wanted language are candidates, if the file
names languages. Among the candidates the track marked as default, or the first, is chosen, unless
it holds almost no speech and another one does: OBS writes a silent desktop first and the microphone
second. Commentaries and audio descriptions come last. A warning always reports the choice.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.stream import Disposition

from escriba.recording_warnings import RecordingWarning

from .audio_errors import NoSuchTrack, UnknownCodec

SpeechShare = Callable[[npt.NDArray[np.int16]], float]  # mono at 16 kHz: share of speech, 0 to 1

SECONDARY: Final = (
    Disposition.comment
    | Disposition.visual_impaired
    | Disposition.descriptions
    | Disposition.karaoke
)
LOUD: Final = 10 ** (-50 / 20) * 32768  # RMS of a window: -50 dBFS
WINDOW: Final = 512  # samples: 32 ms, as the detector's
CLEARLY_LESS: Final = 0.25  # of the most speech in any track; dubs and microphones differ by less
_LANGUAGE: Final = re.compile("[a-z]{2,3}")
# ISO 639-2 codes of both kinds by Whisper's code; other codes are compared unchanged.
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
class TrackChoice:
    """The number of the chosen track, and warnings about the choice."""

    number: int
    warnings: tuple[RecordingWarning, ...] = ()


def loud_share(samples: npt.NDArray[np.int16]) -> float:
    """The share of windows that are not silent; used where there is no speech detector."""
    whole = samples[: len(samples) // WINDOW * WINDOW].astype(np.float32).reshape(-1, WINDOW)
    return float((np.sqrt((whole**2).mean(1)) > LOUD).mean()) if len(whole) else 0.0


def has_decoder(stream: AudioStream) -> bool:
    """Whether the codec of the track is supported."""
    return stream.codec_context is not None


def candidates(tracks: Sequence[AudioStream], language: str) -> list[int]:
    """Numbers of the tracks that may be chosen, the likeliest first."""
    decodable = [number for number, stream in enumerate(tracks, 1) if has_decoder(stream)]
    wanted = [n for n in decodable if language and language_of(tracks[n - 1]) == language]
    main = [n for n in wanted or decodable if not tracks[n - 1].disposition & SECONDARY]
    return sorted(
        main or wanted or decodable,
        key=lambda n: not tracks[n - 1].disposition & Disposition.default,
    )


def track_by_number(tracks: Sequence[AudioStream], number: int) -> TrackChoice:
    """The track with the requested number; the single track of a file that has only one.

    Raises:
        NoSuchTrack: The file has fewer tracks.
        UnknownCodec: The codec of the track is not supported.
    """
    if len(tracks) == 1 and number > 1:
        message = (
            f"Track {number} was requested, but the file has a single track, which is transcribed."
        )
        return TrackChoice(1, (RecordingWarning(code="no_such_track", message=message),))
    if not 1 <= number <= len(tracks):
        raise NoSuchTrack(
            f"track {number} was requested, but the file has {len(tracks)} audio tracks"
        )
    if not has_decoder(tracks[number - 1]):
        raise UnknownCodec(f"the codec of track {number}, which was requested, is not supported")
    return TrackChoice(number)


def best_track(
    tracks: Sequence[AudioStream], decodable: Sequence[int], shares: Mapping[int, float | None]
) -> TrackChoice:
    """The first candidate, or one with clearly more speech; with a warning if there are several.

    Args:
        tracks: All audio tracks of the file.
        decodable: The numbers that `candidates` gives.
        shares: Share of speech in each candidate, if measured; None: the track has no audio.
    """
    audible = [n for n in decodable if shares.get(n, 0.0) is not None] or list(decodable)
    speech = {n: shares.get(n) or 0.0 for n in audible}
    most = max(audible, key=lambda n: speech[n])
    chosen = audible[0] if speech[audible[0]] >= CLEARLY_LESS * speech[most] else most
    if len(tracks) == 1:
        return TrackChoice(chosen)
    why = ""
    if chosen != decodable[0]:
        why = f" Track {decodable[0]} holds less speech." if decodable[0] in speech else ""
    unknown = [n for n, stream in enumerate(tracks, 1) if not has_decoder(stream)]
    if unknown:
        why += f" The codec of track {', '.join(map(str, unknown))} is not supported."
    message = (
        f"The file has {len(tracks)} audio tracks; only track {_described(tracks, chosen)} is "
        f"transcribed.{why}"
    )
    return TrackChoice(chosen, (RecordingWarning(code="one_of_several_tracks", message=message),))


def language_of(stream: AudioStream) -> str:
    """Whisper's code of the language that the file names, or the name itself; empty for none.

    Only two or three letters (BCP 47) count: a file may hold any text there, and messages show it.
    """
    code = (stream.metadata.get("language") or "").lower().replace("_", "-").partition("-")[0]
    if not _LANGUAGE.fullmatch(code) or code in {"und", "mul", "zxx"}:
        return ""
    return THREE_LETTERS.get(code, code)


def _described(tracks: Sequence[AudioStream], number: int) -> str:
    language = language_of(tracks[number - 1])
    return f"{number} ({language})" if language else str(number)
