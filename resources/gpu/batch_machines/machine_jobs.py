"""The machine jobs that this process knows, and which of their attempts are over."""

from dataclasses import dataclass, field

from resources.gpu.backend import Progress

from .member_ids import MemberId


@dataclass(slots=True)
class Member:
    """An attempt of a manifest.

    is_over: it ended, was cancelled, or was interrupted before its manifest was accepted.
    """

    speech_ms: int = 0
    progress: Progress = lambda _: None
    is_over: bool = False


@dataclass(slots=True)
class MachineWork:
    """One machine job. ours: submitted by this process.

    members: the known attempts, by their number of `count`.
    """

    id: str
    manifest: str
    count: int
    ours: bool = False
    members: dict[int, Member] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether no attempt needs the machine any more. Unknown attempts may need it."""
        return sum(1 for one in self.members.values() if one.is_over) == self.count

    @property
    def some_are_over(self) -> bool:
        """Whether attempts have ended, so that its workers do start jobs."""
        return any(one.is_over for one in self.members.values())

    def end(self, number: int) -> None:
        """Note that an attempt is over."""
        self.members.setdefault(number, Member()).is_over = True


class MachineJobs:
    """By the provider's id."""

    def __init__(self) -> None:
        self._by_id: dict[str, MachineWork] = {}

    def add(self, work: MachineWork) -> None:
        """Add a submitted machine job."""
        self._by_id[work.id] = work

    def find(self, id_: str) -> MachineWork | None:
        """A known machine job."""
        return self._by_id.get(id_)

    def remove(self, id_: str) -> None:
        """Forget a machine job."""
        self._by_id.pop(id_, None)

    def of(self, member: MemberId) -> MachineWork:
        """The machine job of an attempt, possibly another process's."""
        work = MachineWork(member.machine_job, member.manifest, member.count)
        return self._by_id.setdefault(member.machine_job, work)

    def ours(self) -> list[MachineWork]:
        """All that this process submitted and still knows."""
        return [work for work in self._by_id.values() if work.ours]
