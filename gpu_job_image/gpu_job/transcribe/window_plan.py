"""Which windows are decoded in which language: planned once, and saved with partial results."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ..contract import JobOptions, JobWarning
from .language_vote import LEAST, SURE, VOTERS, Guess, initial_voters, smoothed, vote, voters
from .language_warnings import requested_language_warnings, vote_warnings, window_warnings
from .windows import Piece, Window, laid_out

LEAST_PIECE_MS = 2_000  # in shorter pieces, no model can detect the language

Guesser = Callable[[Window], Guess]


@dataclass(frozen=True)
class WindowPlan:
    """Windows in decoding order.

    language, probability: of the recording, and the probability of that.
    along: the language of each window, with detect='along'; otherwise empty.
    warnings: about the language; saved with the other warnings, not with the plan.
    """

    windows: tuple[Window, ...] = ()
    language: str = ""
    probability: float = 1.0
    along: tuple[str, ...] = field(default=())
    warnings: tuple[JobWarning, ...] = field(default=())

    def language_of(self, window: int) -> str:
        """The language in which a window is decoded."""
        return self.along[window] if self.along else self.language


def plan(windows: Sequence[Window], options: JobOptions, guess: Guesser) -> WindowPlan:
    """Plan the windows; `guess` runs the encoder on one window, and may raise."""
    if not windows:
        return WindowPlan(language=options.language or "")
    if options.language:
        warnings = requested_language_warnings(options.language, windows, guess)
        return WindowPlan(tuple(windows), options.language, warnings=warnings)
    if options.detect == "along":
        return _along(windows, options, guess)
    language, probability, guesses = "", 0.0, dict[int, Guess]()
    asked: list[Guess] = []
    for most in (initial_voters(windows), VOTERS):
        chosen = voters(windows, most)
        guesses |= {i: guess(windows[i]) for i in chosen if i not in guesses}
        lengths_ms = [windows[i].length_ms for i in chosen]
        asked = [guesses[i] for i in chosen]
        language, probability = vote(asked, lengths_ms, among_candidates=bool(options.languages))
        if probability >= SURE or len(chosen) == len(windows):
            break
    warnings = vote_warnings(language, probability, asked, options)
    return WindowPlan(tuple(windows), language, round(probability, 4), warnings=warnings)


def _along(windows: Sequence[Window], options: JobOptions, guess: Guesser) -> WindowPlan:
    """Detect the language of each window, and of each piece where neighboring windows differ.

    Neighbors are windows of the same channel: another channel has another speaker, perhaps an
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
    return WindowPlan(
        tuple(window for window, _ in parts),
        language,
        round(probability, 4),
        tuple(language for _, language in parts),
        window_warnings(guesses, lengths_ms, options),
    )


def _parts(window: Window, language: str, guess: Guesser) -> Iterator[tuple[Window, str]]:
    """The window, split where the language of its pieces changes; uncertain pieces follow."""
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
    """The language of a piece; empty if uncertain, or too short to run the encoder on."""
    if piece.length_ms < LEAST_PIECE_MS:
        return ""
    heard = guess(laid_out(channel, [(piece.start_ms, piece.end_ms)]))
    return heard.language if heard.probability >= LEAST else ""
