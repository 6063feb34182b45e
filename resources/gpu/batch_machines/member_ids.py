"""The provider's id of one attempt of a manifest, as `submitted-<n>.json` keeps it."""

import re
from dataclasses import dataclass

_ID = re.compile(r"(?P<machine_job>.+)#(?P<manifest>[a-z0-9-]+)/(?P<number>\d+)-of-(?P<count>\d+)")


@dataclass(frozen=True, slots=True)
class MemberId:
    """machine_job: the provider's id. number: of the attempt in its manifest, from 1, of `count`.

    Another process learns from it which manifest to delete, and how many attempts must be over
    before it may stop the machine.
    """

    machine_job: str
    manifest: str = ""
    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.machine_job}#{self.manifest}/{self.number}-of-{self.count}"


def member_of(provider_id: str) -> MemberId:
    """The parts of an id; one of an unknown form is a machine job of its own."""
    found = _ID.fullmatch(provider_id)
    if found is None:
        return MemberId(provider_id)
    return MemberId(
        found["machine_job"], found["manifest"], int(found["number"]), int(found["count"])
    )
