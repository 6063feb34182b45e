"""How a delivery of a bill is to be read, and what came of it."""

from dataclasses import dataclass
from decimal import Decimal

from pipelines.billing.deliveries import Wish


@dataclass(frozen=True, slots=True)
class Delivery:
    """How to read the files of one delivery.

    provider: empty: told by the columns. bucket: the length of RunPod's records. tag: only what
    carries it, (key, value); a bill holds more than transcription. wish: whether the files are a
    further part of a delivery, or all of a new one, where nothing tells.
    """

    provider: str = ""
    bucket: str = "day"
    tag: tuple[str, str] | None = None
    wish: Wish = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of it.

    new, replaced and unchanged add up to rows; an unchanged one is written again only where its
    day was not over when it was read. gone: rows that the delivery before had. stood_usd: what a
    new delivery takes the place of.
    empty: names of files that hold no lines. superseded: bills, the files of which were taken
    before, and have another delivery in their place. rate_sources: of other currencies.
    """

    new: int
    replaced: int
    unchanged: int
    left_out: int
    empty: tuple[str, ...]
    usd: Decimal
    backends: tuple[str, ...]
    gone: int = 0
    gone_usd: Decimal = Decimal(0)
    stood_usd: Decimal | None = None
    superseded: tuple[str, ...] = ()
    rate_sources: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """All that the delivery told."""
        return self.new + self.replaced + self.unchanged

    @property
    def sentence(self) -> str:
        """For people."""
        whose = ", ".join(self.backends) or "nobody"
        if self.unchanged == self.rows:
            came = "the same again: nothing new" if self.rows else "nothing new"
        else:
            came = f"{self.new:,} new, {self.replaced:,} replaced, {self.unchanged:,} the same"
        left_out = f"; {self.left_out:,} lines without that tag left out" if self.left_out else ""
        gone = (
            f"; {self.gone:,} of the delivery before, {self.gone_usd:.2f} USD, are gone"
            if self.gone
            else ""
        )
        stood = "" if self.stood_usd is None else f", in place of {self.stood_usd:.2f} USD"
        told = [
            f"{self.rows:,} rows of {whose}, {self.usd:.2f} USD{stood}: {came}{left_out}{gone}."
        ]
        told += [f"Converted by {source}." for source in self.rate_sources]
        if self.superseded:
            told.append(
                f"Of {', '.join(self.superseded)} a later delivery stands: its files of before "
                "change nothing (--whole takes them all the same)."
            )
        return " ".join(told)
