"""The warnings of a recording: what its stages' records hold, all together.

A stage tells one by putting it into the `warnings` of its facts; nothing else is to be done.
"""

from itertools import chain

from pydantic import TypeAdapter, ValidationError

from pipelines.speech.recording_warnings import RecordingWarning, once

from .names import STAGES
from .records import StageRecord
from .workshop import Desk

_MANY = TypeAdapter(tuple[RecordingWarning, ...])


def warnings_in(record: StageRecord | None) -> tuple[RecordingWarning, ...]:
    """Those of one stage; what cannot be read is none."""
    try:
        return _MANY.validate_python(record.facts.get("warnings", ())) if record else ()
    except ValidationError:
        return ()


def warnings_up_to(desk: Desk, stage: str) -> tuple[RecordingWarning, ...]:
    """Those of all stages before, in their order, each once."""
    before = STAGES[: STAGES.index(stage)]
    return once(chain.from_iterable(warnings_in(desk.record(name)) for name in before))
