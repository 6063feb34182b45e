"""Messages of notices, grouped: one message for all that a channel is to be told at a time."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from escriba.known_secrets import masked

from .episodes import Notice

_LONGEST_LINES: Final = 20  # in one message; the others are counted
_LONGEST_LINE: Final = 600  # characters
_SIGNS: Final = {"began": "🔴", "over": "✅", "digest": "🌙", "test": "🔔"}
_WORDS: Final = {"began": "began", "over": "over", "digest": "digest", "test": "test"}


@dataclass(frozen=True, slots=True)
class Message:
    """is_good: nothing in it is wrong. Both texts are fit for their medium and hold no secret."""

    title: str
    body: str
    is_good: bool


def message_of(
    notices: Sequence[Notice],
    text_for: Callable[[str], str],
    *,
    perhaps_sent: Collection[str] = (),
    dropped: int = 0,
) -> Message:
    """One message of these notices. text_for: makes text fit for the channel's medium.

    perhaps_sent: ids of notices that may have arrived before; the message says so.
    """
    shown = notices[-_LONGEST_LINES:]
    lines = [_line(one, text_for, again=one.id in perhaps_sent) for one in shown]
    left = len(notices) - len(shown) + dropped
    lines += [f"… and {left:,} earlier ones."] if left else []
    return Message(
        text_for(_fit(_title(notices))),
        "\n".join(lines),
        all(one.kind != "began" for one in notices),
    )


def _title(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        [one] = notices
        if one.kind in {"digest", "test"}:
            return f"Escriba: {one.title}"
        end = "is over" if one.kind == "over" else "began"
        return f"Escriba: {one.title} {end}"
    counts = Counter(_WORDS[one.kind] for one in notices)
    return "Escriba: " + ", ".join(f"{count:,} {word}" for word, count in counts.items())


def _line(notice: Notice, text_for: Callable[[str], str], *, again: bool) -> str:
    severity = f" [{notice.severity}]" if notice.kind == "began" else ""
    note = " (This may have been sent before.)" if again else ""
    at = f"{notice.at:%Y-%m-%d %H:%M} UTC"
    words = f"{notice.title}: {notice.text}"
    return f"{_SIGNS[notice.kind]}{severity} {text_for(_fit(words))} ({at}){note}"


def _fit(text: str) -> str:
    clean = masked(" ".join(text.split()))
    return clean if len(clean) <= _LONGEST_LINE else f"{clean[: _LONGEST_LINE - 1]}…"
