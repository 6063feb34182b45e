"""The columns of FOCUS by version, and which of their rules a file breaks.

Of the specification's table of the Cost and Usage dataset (specification/datasets/cost_and_usage in
FinOps-Open-Cost-and-Usage-Spec/FOCUS_Spec) and of the rules of its columns. The Foundation's
validator knows 1.2 alone: what it holds of that version is held here of 1.4 too, as far as a file
can show it.
"""

from collections.abc import Callable, Iterator
from decimal import Context, Decimal
from typing import Any

Row = dict[str, Any]
Table = Any  # of pyarrow

_NEVER_NULL = {
    *("BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd"),
    *("BillingPeriodStart", "ChargeCategory", "ChargePeriodEnd", "ChargePeriodStart"),
    *("ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost"),
    *("PricingCurrency", "PricingCurrencyEffectiveCost", "ServiceCategory", "ServiceName"),
    *("ChargeFrequency", "ServiceSubcategory"),
}
_MAY_BE_NULL = {
    *("BillingAccountName", "ChargeClass", "ChargeDescription", "CommitmentDiscountStatus"),
    *("ConsumedQuantity", "ConsumedUnit", "InvoiceId", "ListUnitPrice", "PricingCategory"),
    *("PricingCurrencyContractedUnitPrice", "PricingCurrencyListUnitPrice", "PricingQuantity"),
    *("PricingUnit", "SkuId", "SkuMeter", "SkuPriceDetails", "SkuPriceId", "SubAccountId"),
    "SubAccountName",
}
# 1.3 renamed them, and 1.4 no longer has the old names
NEVER_NULL = {
    "1.2": _NEVER_NULL | {"ProviderName", "PublisherName"},
    "1.4": _NEVER_NULL | {"ServiceProviderName", "HostProviderName"},
}
MAY_BE_NULL = {"1.2": _MAY_BE_NULL, "1.4": _MAY_BE_NULL | {"InvoiceDetailId"}}
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {"Correction", None},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {"Standard", "Dynamic", "Committed", "Other", None},
    "ServiceCategory": {
        *("AI and Machine Learning", "Compute", "Networking", "Storage"),  # that we have
    },
}
_EXACT = Context(prec=60)  # a product of 38 digits is not rounded
_OF_A_PRICE = ("ListUnitPrice", "PricingQuantity", "PricingUnit", "SkuId", "SkuPriceId")


def version_of(columns: list[str]) -> str:
    """By the names of its columns."""
    return "1.4" if "ServiceProviderName" in columns else "1.2"


def broken(table: Table, version: str) -> list[str]:
    """A sentence for each rule that a file breaks."""
    found = [*_shape(table, version), *_nulls(table, version)]
    is_whole = not (NEVER_NULL[version] | MAY_BE_NULL[version]) - set(table.column_names)
    return [*found, *_values(table.to_pylist())] if is_whole else found


def rules_of(version: str) -> dict[str, int]:
    """How many rules are held, by kind."""
    columns = len(NEVER_NULL[version] | MAY_BE_NULL[version])
    return {
        "columns that are there": columns,
        "columns that are not null": len(NEVER_NULL[version]),
        "types": columns,
        "allowed values": len(ALLOWED),
        "rules of a charge": len(_OF_CHARGES),
    }


def _shape(table: Table, version: str) -> Iterator[str]:
    import pyarrow as pa  # noqa: PLC0415  # in the validator's environment too

    names, wanted = table.column_names, NEVER_NULL[version] | MAY_BE_NULL[version]
    yield from (f"{name} is missing" for name in sorted(wanted - set(names)))
    own = [name for name in names if name.startswith("x_")]
    yield from (f"{name} is no column of {version}" for name in set(names) - wanted - set(own))
    if names[len(names) - len(own) :] != own:
        yield "columns of our own stand before those of FOCUS"
    for name in wanted & set(names):
        kind = table.schema.field(name).type
        if name.endswith(("Cost", "Price", "Quantity")) and not pa.types.is_decimal(kind):
            yield f"{name} is {kind}, no decimal"
        if name.endswith(("PeriodStart", "PeriodEnd")) and kind.tz != "UTC":
            yield f"{name} is {kind}, no time in UTC"


def _nulls(table: Table, version: str) -> Iterator[str]:
    for name in sorted(NEVER_NULL[version] & set(table.column_names)):
        if table[name].null_count:
            yield f"{name} is null in {table[name].null_count} charges"


def _values(rows: list[Row]) -> Iterator[str]:
    for name, allowed in ALLOWED.items():
        strange = {row.get(name) for row in rows} - allowed
        if strange:
            yield f"{name} is {sorted(map(str, strange))}"
    for told, holds in _OF_CHARGES.items():
        count = sum(not holds(row) for row in rows)
        if count:
            yield f"{told}: not so in {count} charges"
    if any(len(found) > 1 for found in _categories(rows).values()):
        yield "a ServiceName has more than one ServiceCategory"


def _categories(rows: list[Row]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["ServiceName"], set()).add(row["ServiceCategory"])
    return found


def _has_price(row: Row) -> bool:
    """What is used or bought has one; a tax has none."""
    there = [row[name] is not None for name in _OF_A_PRICE]
    if row["ChargeCategory"] in {"Usage", "Purchase"}:
        return all(there)
    return row["ChargeCategory"] != "Tax" or not any(there)


def _is_list_cost(row: Row) -> bool:
    if row["ListUnitPrice"] is None or row["PricingQuantity"] is None:
        return row["ListUnitPrice"] is None and row["PricingQuantity"] is None
    product = _EXACT.multiply(row["ListUnitPrice"], row["PricingQuantity"])
    return product == Decimal(row["ListCost"])


_OF_CHARGES: dict[str, Callable[[Row], bool]] = {
    "a charge lies in its billing period": lambda row: (
        row["BillingPeriodStart"]
        <= row["ChargePeriodStart"]
        < row["ChargePeriodEnd"]
        <= row["BillingPeriodEnd"]
    ),
    "usage has a price, and tax none": _has_price,
    "ListUnitPrice times PricingQuantity is ListCost": _is_list_cost,
    "a price is not below zero": lambda row: (row["ListUnitPrice"] or 0) >= 0,
    "usage alone is consumed": lambda row: (
        (row["ConsumedQuantity"] is not None) == (row["ChargeCategory"] == "Usage")
    ),
    "a quantity has a unit": lambda row: (
        (row["PricingQuantity"] is None) == (row["PricingUnit"] is None)
        and (row["ConsumedQuantity"] is None) == (row["ConsumedUnit"] is None)
    ),
    "a sub account has a name": lambda row: (
        (row["SubAccountId"] is None) == (row["SubAccountName"] is None)
    ),
    "a SkuMeter, a SkuPriceId and its details are of a SkuId": lambda row: (
        row["SkuId"] is not None
        or row["SkuMeter"] is row["SkuPriceId"] is row["SkuPriceDetails"] is None
    ),
    "currencies have three letters": lambda row: (
        len(row["BillingCurrency"]) == len(row["PricingCurrency"]) == 3  # noqa: PLR2004
    ),
}
