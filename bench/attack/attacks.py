"""What an attack is, and what a kind of attacks gives."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

SECONDS: Final = 10.0  # that an attack may take, if it says nothing else
MEGABYTES: Final = 400.0  # that a process may have resident
DELAY_SECONDS: Final = 5.0  # that a good recording may wait behind bad ones


class Verdict(NamedTuple):
    """How an attack ended.

    fault: why it was not held; empty if it was.
    good_files_delayed_s: how much later good recordings beside it were done; None: there were none.
    """

    fault: str = ""
    good_files_delayed_s: float | None = None


HELD: Final = Verdict()


@dataclass(frozen=True)
class Attack:
    """One thing that a stranger does to Escriba.

    name: of the attack, unique in its kind.
    run: does it, and judges what became of it; an exception is not held either.
    seconds: most that it may take.
    """

    name: str
    run: Callable[[], Verdict]
    seconds: float = SECONDS


@dataclass
class KindFigures:
    """What the attacks of one kind came to. faults: why those that were not held were not."""

    tried: int = 0
    held: int = 0
    worst_seconds: float = 0.0
    worst_mb: float | None = None
    good_files_delayed_s: float | None = None
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> dict[str, Any]:
        """All but the faults."""
        return {name: value for name, value in asdict(self).items() if name != "faults"}


def refused(
    do: Callable[[], object],
    errors: type[Exception] | tuple[type[Exception], ...],
    says: str = "",
    hides: str = "",
) -> Verdict:
    """Held if it raises one of the errors with these words, and without what it must hide."""
    try:
        got = do()
    except errors as error:
        sentence = f"{getattr(error, 'code', '')} {error} {getattr(error, 'advice', '')}"
        if says not in sentence:
            return Verdict(f"refused, but not by name: {sentence!r:.200}")
        if hides and hides in sentence:
            return Verdict(f"shows what it must hide: {sentence!r:.200}")
        return HELD
    return Verdict(f"not refused: {got!r:.200}")


def expected(*, it: bool, otherwise: object = "") -> Verdict:
    """Held if the sentence about it is true."""
    return HELD if it else Verdict(f"not as expected: {otherwise!r:.200}")


def summed(kinds: dict[str, KindFigures]) -> KindFigures:
    """The sum of all kinds: counts added, the worst of the others."""
    figures = kinds.values()
    faults = {(kind, name): why for kind, one in kinds.items() for name, why in one.faults.items()}
    return KindFigures(
        tried=sum(one.tried for one in figures),
        held=sum(one.held for one in figures),
        worst_seconds=max((one.worst_seconds for one in figures), default=0.0),
        worst_mb=_worst([one.worst_mb for one in figures]),
        good_files_delayed_s=_worst([one.good_files_delayed_s for one in figures]),
        faults={f"{kind}: {name}": why for (kind, name), why in faults.items()},
    )


def _worst(values: list[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)
