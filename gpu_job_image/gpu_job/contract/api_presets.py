"""What transcription APIs can do, by base URL and model: one table for both sides.

The worker needs the form fields and the limits; the orchestrator needs the limits, the price's sku
and the end of life. Sources: the APIs' own references and their SDKs' types as of 2026-11-29
(docs/backends/openai.md); prices are in the price book alone.
"""

import ipaddress
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal
from urllib.parse import urlsplit

Times = Literal["word", "segment", "none"]

MEGABYTE = 1_000_000
OPENAI_HOST = "api.openai.com"
LONGEST_PIECE_SECONDS = 600.0  # what a kill can cost: ten minutes of audio, sent once more
ALIGNED_PIECE_SECONDS = 30.0  # text alone is timed within its piece, so pieces are short
OWN_SERVER = "own-server"  # the sku of a server of one's own
_END_OF_OPENAI_WHISPER = date(2027, 2, 26)


@dataclass(frozen=True, slots=True)
class ApiPreset:
    """What one model of one API can do.

    names: what MODEL may say for it, besides the API's own name. times: the finest that come back.
    detects_language: the answer says which language was heard. languages: the only ones it knows;
    None: those of Whisper. max_bytes, max_seconds: of one request. minimum_seconds: of audio that
    a request is billed for at least. ends_on: the day from which it refuses every request.
    language_field: `languages[]` where the API takes a list of hints. hint_field: where expected
    words go. accepts_url, batch, diarizes: what the API offers besides, which no job uses yet.
    """

    host: str
    model: str
    sku: str
    names: frozenset[str] = frozenset()
    times: Times = "none"
    detects_language: bool = False
    translates: bool = False
    diarizes: bool = False
    languages: frozenset[str] | None = None
    max_bytes: int = 25 * MEGABYTE
    max_seconds: float = LONGEST_PIECE_SECONDS
    minimum_seconds: float = 0.0
    accepts_url: bool = False
    batch: bool = False
    ends_on: date | None = None
    language_field: Literal["language", "languages[]"] = "language"
    hint_field: Literal["prompt", "keywords[]", "context_bias[]"] = "prompt"
    sends_format: bool = True
    is_own: bool = False

    @property
    def piece_seconds(self) -> float:
        """The longest audio of one request."""
        usual = ALIGNED_PIECE_SECONDS if self.times == "none" else LONGEST_PIECE_SECONDS
        return min(usual, self.max_seconds)

    @property
    def takes(self) -> frozenset[str]:
        """Every model name of a job that this model is."""
        return self.names | {self.model}


_TURBO = frozenset({"large-v3-turbo", "turbo"})
_LARGE = frozenset({"large-v3", "large"})
_VOXTRAL = frozenset("en zh hi es ar fr pt ru de ja ko it nl".split())  # noqa: SIM905

_GROQ = ApiPreset(
    "api.groq.com",
    "",
    "",
    times="word",
    detects_language=True,
    minimum_seconds=10.0,
    accepts_url=True,
    batch=True,
)
_GPT_4O = ApiPreset(
    OPENAI_HOST, "", "", max_seconds=1_400.0, ends_on=_END_OF_OPENAI_WHISPER
)  # `json` alone, which has neither times nor a language
_MISTRAL = ApiPreset(
    "api.mistral.ai",
    "",
    "",
    times="segment",
    detects_language=True,
    diarizes=True,
    languages=_VOXTRAL,
    accepts_url=True,
    batch=True,
    hint_field="context_bias[]",
    sends_format=False,
)
_OWN = ApiPreset(
    "", "", OWN_SERVER, times="word", detects_language=True, translates=True, is_own=True
)

PRESETS = (
    ApiPreset(
        OPENAI_HOST,
        "whisper-1",
        "whisper-1",
        times="word",
        detects_language=True,
        translates=True,
        ends_on=_END_OF_OPENAI_WHISPER,
    ),
    replace(_GPT_4O, model="gpt-4o-transcribe", sku="gpt-4o-transcribe"),
    replace(_GPT_4O, model="gpt-4o-mini-transcribe", sku="gpt-4o-mini-transcribe"),
    ApiPreset(
        OPENAI_HOST,
        "gpt-transcribe",
        "gpt-transcribe",
        detects_language=True,
        max_seconds=1_400.0,
        language_field="languages[]",
        hint_field="keywords[]",
    ),
    replace(_GROQ, model="whisper-large-v3-turbo", sku="groq/whisper-large-v3-turbo", names=_TURBO),
    replace(
        _GROQ,
        model="whisper-large-v3",
        sku="groq/whisper-large-v3",
        names=_LARGE,
        translates=True,
    ),
    replace(_MISTRAL, model="voxtral-mini-latest", sku="mistral/voxtral-mini-transcribe"),
    replace(_MISTRAL, model="voxtral-mini-2602", sku="mistral/voxtral-mini-transcribe"),
)
# what MODEL may say although no worker can load it: Groq's models are open, and have other names
API_MODELS = frozenset(preset.model for preset in PRESETS if not preset.names)


def preset_of(  # noqa: PLR0913  # what settings may change, by name
    base_url: str,
    model: str,
    *,
    own: str = "auto",
    times: Times | Literal["auto"] = "auto",
    max_bytes: int = 0,
    max_seconds: float = 0,
) -> ApiPreset:
    """The row of the table, or careful assumptions for an API that it does not have.

    own: whether the server is one's own: yes, no, or auto: if its address is loopback or private.
    times, max_bytes, max_seconds: instead of the table's; auto and 0 change nothing.
    """
    preset = _known(base_url, model, own)
    return replace(
        preset,
        times=preset.times if times == "auto" else times,
        max_bytes=max_bytes or preset.max_bytes,
        max_seconds=max_seconds or preset.max_seconds,
    )


def _known(base_url: str, model: str, own: str) -> ApiPreset:
    host = (urlsplit(base_url).hostname or "").lower()
    if own == "yes" or (own == "auto" and is_own_address(base_url)):
        return replace(_OWN, host=host, model=model)
    for preset in PRESETS:
        if (host, model) == (preset.host, preset.model):
            return preset
    return ApiPreset(host, model, f"{host}/{model}")


def is_own_address(base_url: str) -> bool:
    """Whether a URL leads to this machine or its own network, by its name alone."""
    host = (urlsplit(base_url).hostname or "").lower()
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".local", ".internal", ".lan")))
