"""How a recording fails: classified once, where the outside is touched.

permanent: the file's fault, no retry helps before somebody changes it.
transient: the next run tries again.
over budget: nothing is wrong; it is deferred until money may be spent again.
"""

from dataclasses import dataclass
from decimal import Decimal

OVER_BUDGET = "over_budget"


@dataclass
class RecordingError(Exception):
    """One recording failed; no other one is touched by it.

    `message` says what was found, `advice` what to do next.
    """

    code: str
    message: str
    advice: str
    permanent: bool = True

    def __str__(self) -> str:
        return f"{self.message} {self.advice}"


class BackendUnavailableError(Exception):
    """No job can run at all now; says what to do. Nobody's file is to blame.

    `lasting`: waiting does not mend it, somebody must.
    """

    def __init__(self, message: str, *, lasting: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting


class OverBudgetError(RecordingError):
    """A limit would be passed: the recording is deferred until `needs_usd` may be spent."""

    def __init__(self, message: str, advice: str, needs_usd: Decimal) -> None:
        super().__init__(OVER_BUDGET, message, advice, permanent=False)
        self.needs_usd = needs_usd
