"""What is heard, and in which language: made once for a recording, and kept with its words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..contract import JobOptions, JobWarning
from .language_doubts import against, of_vote, of_windows
from .languages import LEAST, SURE, VOTERS, Guess, few, smoothed, vote, voters
from .windows import Piece, Window, laid_out

LEAST_PIECE_MS = 2_000  # of shorter ones no model can tell the language

Guesser = Callable[[Window], Guess]


@dataclass(frozen=True)
class Plan:
    """Windows in the order in which they are heard.

    language, probability: of the recording, and how sure that is.
    along: the language of each window, where it was detected along the way; else empty.
    doubts: what speaks against the language; kept with the other warnings, not with the plan.
    """

    windows: tuple[Window, ...] = ()
    language: str = ""
    probability: float = 1.0
    along: tuple[str, ...] = field(default=())
    doubts: tuple[JobWarning, ...] = field(default=())

    def language_of(self, window: int) -> str:
        """In which a window is heard."""
        return self.along[window] if self.along else self.language


def plan(windows: Sequence[Window], options: JobOptions, guess: Guesser) -> Plan:
    """The plan for these windows; `guess` runs the model's encoder on one, and may raise."""
    if not windows:
        return Plan(language=options.language or "")
    if options.language:
        doubts = against(options.language, windows, guess)
        return Plan(tuple(windows), options.language, doubts=doubts)
    if options.detect == "along":
        return _along(windows, options, guess)
    language, probability, guesses = "", 0.0, dict[int, Guess]()
    asked: list[Guess] = []
    for most in (few(windows), VOTERS):
        chosen = voters(windows, most)
        guesses |= {i: guess(windows[i]) for i in chosen if i not in guesses}
        lengths_ms = [windows[i].length_ms for i in chosen]
        asked = [guesses[i] for i in chosen]
        language, probability = vote(asked, lengths_ms, among_candidates=bool(options.languages))
        if probability >= SURE or len(chosen) == len(windows):
            break
    doubts = of_vote(language, probability, asked, options)
    return Plan(tuple(windows), language, round(probability, 4), doubts=doubts)


def _along(windows: Sequence[Window], options: JobOptions, guess: Guesser) -> Plan:
    """Each window is asked; where two differ, the pieces at the border are asked one by one.

    Neighbours are those of the same channel: on another one somebody else speaks, perhaps an
    interpreter.
    """
    guesses = [guess(window) for window in windows]
    lengths_ms = [window.length_ms for window in windows]
    language, probability = vote(guesses, lengths_ms, among_candidates=bool(options.languages))
    found: dict[int, str] = {}
    borders: set[int] = set()
    for channel in {window.channel for window in windows}:
        places = [i for i, window in enumerate(windows) if window.channel == channel]
        own = smoothed([guesses[i] for i in places])
        found |= dict(zip(places, own, strict=True))
        borders |= {
            place
            for i, place in enumerate(places)
            if {own[max(0, i - 1)], own[min(len(own) - 1, i + 1)]} != {own[i]}
        }
    parts = [
        part
        for i, window in enumerate(windows)
        for part in (_parts(window, found[i], guess) if i in borders else [(window, found[i])])
    ]
    return Plan(
        tuple(window for window, _ in parts),
        language,
        round(probability, 4),
        tuple(language for _, language in parts),
        of_windows(guesses, lengths_ms, options),
    )


def _parts(window: Window, language: str, guess: Guesser) -> Iterator[tuple[Window, str]]:
    """The window, cut where its pieces change the language; the short and the unsure follow."""
    spans: list[tuple[int, int]] = []
    now = ""
    for piece in window.pieces:
        own = _language_of(window.channel, piece, guess) or now or language
        if spans and own != now:
            yield laid_out(window.channel, spans), now
            spans = []
        spans.append((piece.start_ms, piece.end_ms))
        now = own
    yield laid_out(window.channel, spans), now


def _language_of(channel: int, piece: Piece, guess: Guesser) -> str:
    """Empty where nobody can be sure; a piece too short for that costs no run of the encoder."""
    if piece.length_ms < LEAST_PIECE_MS:
        return ""
    heard = guess(laid_out(channel, [(piece.start_ms, piece.end_ms)]))
    return heard.language if heard.probability >= LEAST else ""
