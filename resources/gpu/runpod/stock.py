"""How many GPUs of a kind RunPod has free now, by its catalog. Makes no request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from .deployment import GPU_TYPES

Stock = Literal["NONE", "LOW", "MEDIUM", "HIGH"]
_RISING: tuple[Stock, ...] = get_args(Stock)


def stock_of(
    gpu: str, regions: Sequence[str], gpu_types: Iterable[Mapping[str, Any]]
) -> Stock | None:
    """The highest stock of the GPU's types, in these data centers; None: the catalog has none.

    gpu: its name in the price book. regions: empty: any.
    """
    ours = set(GPU_TYPES.get(gpu, ()))
    places = [place for kind in gpu_types if kind.get("id") in ours for place in _places(kind)]
    found = [level for id_, level in places if not regions or id_ in regions]
    return max(found, key=_RISING.index, default=None)


def _places(kind: Mapping[str, Any]) -> Iterator[tuple[str, Stock]]:
    """The stock of one type by data center; of all of them together under an empty name."""
    centers = kind.get("dataCenters")
    listed = centers if isinstance(centers, list) else []
    for part in ({**kind, "id": ""}, *filter(_is_object, listed)):
        level = part.get("availability")
        if level in _RISING:
            yield str(part.get("id")), level


def _is_object(part: object) -> bool:
    return isinstance(part, dict)
