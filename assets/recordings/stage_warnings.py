"""The warnings of a recording, collected from the records of its stages.

To add a warning, a stage only puts it into the `warnings` of its facts.
"""

from itertools import chain

from pydantic import TypeAdapter, ValidationError

from escriba.recording_warnings import RecordingWarning, once
from escriba.stages import STAGES
from intake.stage_records import StageRecord

from .run_context import RecordingContext

_WARNINGS = TypeAdapter(tuple[RecordingWarning, ...])


def warnings_in(record: StageRecord | None) -> tuple[RecordingWarning, ...]:
    """The warnings of one stage; none if they cannot be read."""
    try:
        return _WARNINGS.validate_python(record.facts.get("warnings", ())) if record else ()
    except ValidationError:
        return ()


def warnings_up_to(context: RecordingContext, stage: str) -> tuple[RecordingWarning, ...]:
    """The warnings of all earlier stages, in their order, without duplicates."""
    before = STAGES[: STAGES.index(stage)]
    return once(chain.from_iterable(warnings_in(context.record(name)) for name in before))
