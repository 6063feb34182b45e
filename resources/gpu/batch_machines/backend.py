"""One queue of a cloud's batch service as a backend: attempts leave as manifests for machines."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from escriba.billing.measured_speeds import planned_speed
from escriba.billing.price_book import Price
from escriba.billing.quotes import Capabilities, Health, JobSize, Quote, Speed, shared_start_quote
from escriba.errors import BackendUnavailableError
from gpu_job.contract import JobRequest
from resources.gpu.backend import AttemptReport, Progress
from resources.gpu.job_folder import Submission
from resources.storage.base import Storage, StorageError

from .admission import Admission
from .gather_rules import GatherRules, hold_seconds
from .gathering import Gathering, Waiting
from .machine_jobs import MachineJobs, MachineWork, Member
from .machine_limits import MachineLimits, limits_of
from .manifest_store import ManifestStore
from .manifests import name_of
from .member_ids import MemberId, member_of
from .packing import packed
from .poller import Poller
from .provider import MachineJob, MachineProvider
from .recent_work import RecentWork
from .time_sources import REAL_TIME, Time

CLOSE_SECONDS = 20.0
HEALTH_SECONDS = 10.0  # the provider is asked at most this often

logger = logging.getLogger(__name__)


class BatchMachinesBackend:
    """At most jobs_at_once attempts; a gathering of them becomes manifests, one for a machine."""

    look_seconds = 60.0

    def __init__(  # noqa: PLR0913, PLR0917  # the parts of a backend
        self,
        name: str,
        sku: str,
        capabilities: Capabilities,
        provider: MachineProvider,
        storage: Storage,
        rules: GatherRules,
        time_: Time = REAL_TIME,
    ) -> None:
        self.name, self.sku, self.capabilities = name, sku, capabilities
        self._provider, self._rules, self._time = provider, rules, time_
        self._manifests = ManifestStore(storage)
        self._room = asyncio.Semaphore(rules.jobs_at_once)
        # slots whose request is not handed over yet: that of an hour of speech takes 0.2 MB
        self._handing_over = asyncio.Semaphore(2 * rules.most_jobs)
        self._handing: set[asyncio.Task[None] | None] = set()
        self._mine: dict[asyncio.Task[None] | None, list[MemberId]] = {}  # by the task in `slot`
        self._jobs = MachineJobs()
        self._poller = Poller(provider, self._ended, time_)
        self._gathering = Gathering(partial(hold_seconds, rules), self._leave, time_)
        self._admission = Admission(rules, self._busy, time_)
        self._recent = RecentWork(rules, time_.clock)
        self._asking, self._health, self._asked_at = asyncio.Lock(), Health("well"), float("-inf")

    def speed(self, job: JobSize) -> Speed:
        return planned_speed(self.name, job)

    def quote(self, job: JobSize, price: Price, speed: Speed) -> Quote:
        """The cost has the job's share of a start; duration and maximum cost have a whole one.

        With others that wait, the machine will have their work too, up to a full one.
        """
        others = max(self._gathering.work_seconds, self._admission.work_seconds)
        work = max(self._recent.work_seconds(), min(others, self._rules.full_seconds))
        return shared_start_quote(job, price, speed, work)

    async def health(self) -> Health:
        async with self._asking:
            if self._time.clock() - self._asked_at >= HEALTH_SECONDS:
                self._health = await self._provider.health()
                self._asked_at = self._time.clock()
            return self._health

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Attempts of a block that ends normally are over; those of an interrupted one are not."""
        task = asyncio.current_task()
        async with self._room:
            await self._admission.turn()
            await self._handing_over.acquire()
            self._handing.add(task)
            self._mine[task] = []
            try:
                yield
                for member in self._mine[task]:
                    self._let_go(member)
            finally:
                self._handed_over(task)
                del self._mine[task]

    async def submit(self, request: JobRequest, quote: Quote, progress: Progress) -> Submission:
        self._admission.predicted(quote.run_seconds)
        try:
            submission = await self._gathering.submission_of(request, quote.run_seconds, progress)
        finally:
            self._handed_over(asyncio.current_task())
        self._mine.setdefault(asyncio.current_task(), []).append(member_of(submission.provider_id))
        return submission

    async def poll(
        self, submission: Submission | None, wait_seconds: float
    ) -> AttemptReport | None:
        if submission is None:
            await self._time.sleep(wait_seconds)
            return None
        member = member_of(submission.provider_id)
        work = self._jobs.of(member)
        report = await self._poller.wait_for_report(member.machine_job, wait_seconds)
        return None if report is None else _of_one_attempt(report, work)

    async def cancel(self, submission: Submission) -> None:
        """Stop the machine if no other attempt needs it.

        Otherwise its worker leaves out the attempt, whose lease is abandoned or which has ended.
        """
        member = member_of(submission.provider_id)
        work = self._jobs.of(member)
        work.end(member.number)
        if work.is_over and self._poller.report(work.id) is None:
            await self._provider.stop([work.id])
            self._poller.check_soon(work.id)

    def console_url(self, submission: Submission) -> str:
        return self._provider.console_url(member_of(submission.provider_id).machine_job)

    async def close(self) -> None:
        """Stop the machines that some attempt of this process may still use, within 20 s."""
        self._admission.close()
        await self._gathering.close(CLOSE_SECONDS)
        await self._poller.close()
        ours = self._jobs.ours()
        needed = [one.id for one in ours if not one.is_over and not self._poller.report(one.id)]
        needed.sort(key=lambda id_: self._poller.phase(id_) != "runs")
        if needed:
            await self._stop(needed)
        for work in ours:
            self._jobs.remove(work.id)
            self._manifests.delete_soon(work.manifest)
        await self._manifests.close()
        await self._provider.close()

    async def _leave(self, group: Sequence[Waiting]) -> None:
        """Pack a gathering into manifests and submit each."""
        machines = max(1, self._rules.most_machines - self._poller.open_jobs)
        manifests = packed([one.run_seconds for one in group], self._rules, machines)
        self._recent.left([sum(group[i].run_seconds for i in one) for one in manifests])
        await asyncio.gather(*(self._submit([group[i] for i in one]) for one in manifests))

    async def _submit(self, members: Sequence[Waiting]) -> None:
        """Submit one manifest; its members are accepted together, or refused together."""
        requests = [one.request for one in members]
        name = name_of(requests)
        limits = limits_of(members, self._rules)
        life = timedelta(seconds=limits.queue_seconds + limits.run_seconds)
        try:
            url = await self._manifests.write(name, requests, life)
            id_ = await self._provider.submit(
                MachineJob(name, url, limits.run_seconds, limits.queue_seconds)
            )
        except (BackendUnavailableError, StorageError) as error:
            self._manifests.delete_soon(name)
            for one in members:
                one.refuse(_as_unavailable(error))
            return
        await self._accept(members, MachineWork(id_, name, len(members), ours=True), limits)

    async def _accept(
        self, members: Sequence[Waiting], work: MachineWork, limits: MachineLimits
    ) -> None:
        """Attempts that were interrupted meanwhile do not need the machine."""
        for number, one in enumerate(members, start=1):
            is_over = one.submission.done()
            work.members[number] = Member(one.request.speech_ms, one.progress, is_over)
        self._jobs.add(work)
        self._poller.follow(work.id, limits.queue_seconds)
        for number, one in enumerate(members, start=1):
            member = MemberId(work.id, work.manifest, number, work.count)
            one.accept(Submission(provider_id=str(member)))
        if work.is_over:
            await self._provider.stop([work.id])

    def _ended(self, id_: str) -> None:
        """The machine job has ended: what it completed is told, and its manifest goes."""
        self._admission.look()
        work, report = self._jobs.find(id_), self._poller.report(id_)
        if work is None:
            return
        if not work.ours:
            self._jobs.remove(id_)
        self._manifests.delete_soon(work.manifest)
        if report is not None and report.status == "COMPLETED":
            for one in work.members.values():
                if not one.is_over:
                    one.progress(one.speech_ms)

    def _let_go(self, member: MemberId) -> None:
        """Note that an attempt is over; a machine job without any others is forgotten."""
        work = self._jobs.of(member)
        work.end(member.number)
        if work.is_over:
            self._poller.forget(work.id)
            self._jobs.remove(work.id)
            self._manifests.delete_soon(work.manifest)
            self._admission.look()

    def _busy(self) -> int:
        """Machine jobs of this process that have not ended."""
        return self._poller.open_jobs

    def _handed_over(self, task: asyncio.Task[None] | None) -> None:
        if task in self._handing:
            self._handing.discard(task)
            self._handing_over.release()
            self._admission.handed_over()

    async def _stop(self, ids: list[str]) -> None:
        try:
            await asyncio.wait_for(self._provider.stop(ids), CLOSE_SECONDS)
        except TimeoutError:
            logger.warning(
                "%d machine jobs were perhaps not stopped within %.0f s: their workers stop when "
                "they find that their attempts have ended, or at their time limit.",
                len(ids),
                CLOSE_SECONDS,
            )


def _of_one_attempt(report: AttemptReport, work: MachineWork) -> AttemptReport:
    """A machine that has ended attempts had workers that start them: others are not to blame."""
    if report.status != "COMPLETED" and not report.code and work.some_are_over:
        return dataclasses.replace(report, code="cancelled")
    return report


def _as_unavailable(error: BackendUnavailableError | StorageError) -> BackendUnavailableError:
    if isinstance(error, BackendUnavailableError):
        return error
    return BackendUnavailableError(f"The manifest could not be written: {error}")
