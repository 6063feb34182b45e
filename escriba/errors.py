"""How a recording fails: classified once, where the outside world is touched.

permanent: the file is at fault; a retry fails as well until the file changes.
transient: the next run retries.
over budget: nothing is wrong; the recording is deferred until the budget allows it.
"""

from dataclasses import dataclass
from decimal import Decimal

from .known_secrets import masked

OVER_BUDGET = "over_budget"


class EscribaError(Exception):
    """Base of every error that Escriba raises; its text says what happened and what to do.

    The text never shows a secret of this process, whatever another library put into it.
    """

    def __str__(self) -> str:
        return masked(super().__str__())


@dataclass
class RecordingError(EscribaError):
    """One recording failed; the others continue.

    `message` says what happened, `advice` what to do next.
    """

    code: str
    message: str
    advice: str
    permanent: bool = True

    def __str__(self) -> str:
        return masked(f"{self.message} {self.advice}")


class KilledError(RecordingError):
    """The process that read the file was ended, for the `kills`th time; see `permanent`."""

    def __init__(
        self, code: str, message: str, advice: str, *, permanent: bool, kills: int
    ) -> None:
        super().__init__(code, message, advice, permanent)
        self.kills = kills


class BackendUnavailableError(EscribaError):
    """No job can run at the moment, and no file is at fault; the text says what to do.

    `lasting`: waiting does not help; an operator must act.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class OverBudgetError(RecordingError):
    """The recording would exceed a budget limit: it is deferred until `needs_usd` is available.

    backend: the only one that the limit applies to; empty: all of them.
    """

    def __init__(self, message: str, advice: str, needs_usd: Decimal, backend: str = "") -> None:
        super().__init__(OVER_BUDGET, message, advice, permanent=False)
        self.needs_usd, self.backend = needs_usd, backend
