"""The queues of AWS_BATCH_QUEUES: one for each machine type."""

import re
from dataclasses import dataclass

from escriba.settings import Settings, SettingsError

from .machine_types import ONE_GPU, SEVERAL_GPUS, MachineType

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")  # as CreateJobQueue allows


@dataclass(frozen=True, slots=True)
class Queue:
    """name: as AWS Batch knows it."""

    machine: MachineType
    name: str


def queues_of(settings: Settings) -> list[Queue]:
    """The queues in the settings, one for each machine type, since the type has the price.

    Raises:
        SettingsError: names the setting, and what is wrong with it.
    """
    pairs = filter(None, map(str.strip, settings.aws_batch_queues.split(",")))
    found = [_queue(pair) for pair in pairs]
    _check_twice([queue.machine.name for queue in found], "machine type")
    _check_twice([queue.name for queue in found], "queue")
    if found and not settings.aws_batch_job_definition:
        raise SettingsError(
            "AWS_BATCH_JOB_DEFINITION is empty, but AWS_BATCH_QUEUES is set. Set the name that "
            "`escriba deploy aws` prints."
        )
    return found


def _queue(pair: str) -> Queue:
    type_, equals, name = map(str.strip, pair.partition("="))
    if not equals:
        raise SettingsError(
            f"AWS_BATCH_QUEUES: {pair!r} is not a pair. Write type=queue,type=queue, for example "
            "g6.xlarge=escriba-g6-xlarge."
        )
    if not _NAME.fullmatch(name):
        raise SettingsError(
            f"AWS_BATCH_QUEUES: {name!r} is not the name of a queue. Use the name that `escriba "
            "deploy aws` prints, not its ARN."
        )
    return Queue(_machine(type_), name)


def _machine(type_: str) -> MachineType:
    if type_ in SEVERAL_GPUS:
        raise SettingsError(
            f"AWS_BATCH_QUEUES: {type_} has {SEVERAL_GPUS[type_]} GPUs, and a worker uses one: the "
            f"others would be paid for nothing. Use {', '.join(ONE_GPU)}."
        )
    if type_ not in ONE_GPU:
        raise SettingsError(
            f"AWS_BATCH_QUEUES: {type_!r} is not a machine type with one GPU that this version "
            f"knows. Use {', '.join(ONE_GPU)}."
        )
    return ONE_GPU[type_]


def _check_twice(names: list[str], what: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SettingsError(
                f"AWS_BATCH_QUEUES: the {what} {name!r} is set twice. Set one queue for each "
                "machine type."
            )
