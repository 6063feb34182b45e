"""The price of a warm RunPod worker: `active_price_usd` on the line of its sku.

Earlier price books had a separate sku `<gpu>-active`; such a line is read as that column.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from .price_lines import Price, PriceBookError

_ENDING = "-active"


def with_active_prices(lines: Iterable[Price]) -> tuple[Price, ...]:
    """The lines, with each `<gpu>-active` line merged into `<gpu>` as its active price.

    Raises:
        PriceBookError: an `<gpu>-active` line has no `<gpu>` line, has another unit or currency,
            or belongs to a line that already has an active price.
    """
    found = list(lines)
    active = [line for line in found if line.sku.endswith(_ENDING)]
    plain = [line for line in found if not line.sku.endswith(_ENDING)]
    for one in active:
        _check(one, [line for line in plain if _is_of(one, line)])
    return tuple(part for line in plain for part in _split(line, active))


def at_active_prices(lines: Iterable[Price]) -> tuple[Price, ...]:
    """The lines for an account with only warm workers: the active price, where there is one."""
    return tuple(line.active for line in lines)


def _is_of(active: Price, line: Price) -> bool:
    return (line.backend, f"{line.sku}{_ENDING}") == (active.backend, active.sku)


def _overlaps(one: Price, other: Price) -> bool:
    return one.valid_from < other.valid_to and other.valid_from < one.valid_to


def _check(active: Price, lines: Sequence[Price]) -> None:
    overlapping = [line for line in lines if _overlaps(active, line)]
    sku = active.sku.removesuffix(_ENDING)
    advice = f"Put the price into active_price_usd of the line {active.backend}/{sku} instead"
    if not overlapping:
        raise PriceBookError(
            f"PRICE_BOOK: {active.name} matches no line {active.backend}/{sku}. {advice}."
        )
    if any((line.unit, active.currency) != (active.unit, "USD") for line in overlapping):
        raise PriceBookError(
            f"PRICE_BOOK: {active.name} has a different unit than {active.backend}/{sku}, or is "
            f"not in USD. {advice}."
        )
    if any(line.active_price_usd is not None for line in overlapping):
        raise PriceBookError(
            f"PRICE_BOOK: {active.name} and active_price_usd of {active.backend}/{sku} cover the "
            "same days. Remove one of them."
        )


def _split(line: Price, active: Iterable[Price]) -> Iterator[Price]:
    """The line split at the active prices that overlap it."""
    since = line.valid_from
    of_line = (one for one in active if _is_of(one, line) and _overlaps(one, line))
    for one in sorted(of_line, key=lambda one: one.valid_from):
        start, end = max(since, one.valid_from), min(line.valid_to, one.valid_to)
        if since < start:
            yield replace(line, valid_from=since, valid_to=start)
        yield replace(line, valid_from=start, valid_to=end, active_price_usd=one.price_usd)
        since = end
    if since < line.valid_to:
        yield replace(line, valid_from=since)
