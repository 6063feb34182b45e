"""How to read a delivery of a bill, and the result of its import."""

from dataclasses import dataclass
from decimal import Decimal

from escriba.billing.bill_deliveries import DeliveryKind


@dataclass(frozen=True, slots=True)
class DeliveryFiles:
    """How to read the files of one delivery.

    provider: empty: found by the columns. bucket: the length of RunPod's records. tag: (key,
    value); only lines with it, since a bill holds more than transcription. wish: whether the files
    are another part of a delivery or a whole new one, if their content does not show it.
    """

    provider: str = ""
    bucket: str = "day"
    tag: tuple[str, str] | None = None
    wish: DeliveryKind = ""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of an import.

    new, replaced and unchanged add up to rows; an unchanged row is written again only if its day
    had not ended at the last import. gone: rows of the previous delivery that are missing.
    stood_usd: the amount that a new delivery replaces.
    empty: names of files without lines. superseded: bills with a newer delivery than these files.
    rate_sources: of other currencies. beside: files of the same delivery that are up to date and
    were not given again.
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
    beside: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """All rows of the delivery."""
        return self.new + self.replaced + self.unchanged

    @property
    def sentence(self) -> str:
        """The result in sentences."""
        sentences = [self._rows_sentence]
        sentences += [f"Converted by {source}." for source in self.rate_sources]
        if self.superseded:
            sentences.append(
                f"{', '.join(self.superseded)} has a later delivery: these earlier files change "
                "nothing (--whole imports them anyway)."
            )
        if self.beside:
            sentences.append(
                f"{', '.join(self.beside)} of the same delivery stays in place. Use --whole if the "
                "given files are a complete new delivery."
            )
        return " ".join(sentences)

    @property
    def _rows_sentence(self) -> str:
        backends = ", ".join(self.backends) or "no backend"
        if self.unchanged == self.rows:
            came = "the same again: nothing new" if self.rows else "nothing new"
        else:
            came = f"{self.new:,} new, {self.replaced:,} replaced, {self.unchanged:,} the same"
        left_out = f"; {self.left_out:,} lines without that tag left out" if self.left_out else ""
        gone = (
            f"; {self.gone:,} of the previous delivery, {self.gone_usd:.2f} USD, are gone"
            if self.gone
            else ""
        )
        replaced = "" if self.stood_usd is None else f", in place of {self.stood_usd:.2f} USD"
        amount = f"{self.rows:,} rows of {backends}, {self.usd:.2f} USD{replaced}"
        return f"{amount}: {came}{left_out}{gone}."
