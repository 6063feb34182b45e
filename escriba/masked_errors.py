"""A function whose errors show no secrets: for those that Dagster calls, which keeps all errors."""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from .known_secrets import mask_error

Function = TypeVar("Function", bound=Callable[..., Any])


def masks_errors(function: Function) -> Function:
    """The function or generator function with secrets masked in what it raises."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **named: Any) -> Iterator[Any]:  # noqa: ANN401  # as it is called
            with _masked():
                yield from function(*args, **named)

        return generator  # type: ignore[return-value]

    @functools.wraps(function)
    def plain(*args: Any, **named: Any) -> Any:  # noqa: ANN401  # as it is called
        with _masked():
            return function(*args, **named)

    return plain  # type: ignore[return-value]


@contextmanager
def _masked() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        other = mask_error(error)
        if other is error:
            raise
        raise other from None
