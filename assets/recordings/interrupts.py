"""Runs a coroutine to its end, or until the process is interrupted."""

import asyncio
import signal
import threading
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, TypeVar

from dagster._core.errors import DagsterExecutionInterruptedError

Result = TypeVar("Result")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_until_interrupted(main: Coroutine[Any, Any, Result]) -> Result:
    """`asyncio.run` that cancels every task in order at the first interrupt.

    Dagster's own handler raises inside whatever code is running, including the event loop itself,
    where a lost wake-up once left a run waiting forever.

    Raises:
        DagsterExecutionInterruptedError: the process was interrupted, and all tasks have ended.
    """

    async def guarded() -> Result:
        task = asyncio.ensure_future(main)
        with ExitStack() as handlers:
            for number in _SIGNALS if threading.current_thread() is threading.main_thread() else ():
                _install(handlers, number, task)
            return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise DagsterExecutionInterruptedError from None


def _install(handlers: ExitStack, number: signal.Signals, task: "asyncio.Future[Any]") -> None:
    before = signal.getsignal(number)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(number, task.cancel)
    handlers.callback(signal.signal, number, before)
    handlers.callback(loop.remove_signal_handler, number)
