"""AWS Batch on loopback, for boto3: each job runs a real worker on a machine of its own.

What breaks is scripted in `faults`, by operation; what was asked is in `requests`.
"""

import json
import re
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from fnmatch import fnmatch
from http.server import ThreadingHTTPServer
from itertools import count
from uuid import uuid4

from tests.fake_aws_batch_account import ARN, definition, environment, queue
from tests.fake_aws_batch_answers import Handler, RefusedError
from tests.machine_worker import MachineWorker

LONG_SECONDS = 120  # for machines that have a lot else to do
OVER = {"SUCCEEDED", "FAILED"}
EXITED = "Essential container in task exited"
COMMAND = ["python", "-m", "gpu_job", "--manifest"]
OVERRIDES_CHARACTERS, PAYLOAD_BYTES, DESCRIBED, STOPPED = 8_192, 30 << 10, 100, 50
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")


class SpotMachine(MachineWorker):
    """Runs the container of a job. is_taken: EC2 takes it, or has taken it."""

    def __init__(self, overrides, models):
        *command, address = overrides["command"]
        assert command == COMMAND
        sent = {one["name"]: one["value"] for one in overrides["environment"]}
        super().__init__(address, models, cloud=sent["SPOT_NOTICES"])
        self.id, self.is_taken = f"i-{uuid4().hex[:17]}", False


@dataclass
class Job:
    """As AWS Batch knows it. hidden: calls of ListJobs that do not know it yet."""

    request: dict
    id: str = field(default_factory=lambda: str(uuid4()))
    status: str = "RUNNABLE"
    reason: str = ""
    created: int = 0
    hidden: int = 0
    attempts: list = field(default_factory=list)
    machine: SpotMachine | None = None
    cancelled: bool = False
    terminated: bool = False

    @property
    def name(self):
        return self.request["jobName"]

    @property
    def overrides(self):
        return self.request["containerOverrides"]

    def summary(self):
        told = {"jobId": self.id, "jobName": self.name, "status": self.status}
        told |= {"jobArn": f"{ARN}:job/{self.id}", "createdAt": self.created}
        return told | ({"statusReason": self.reason} if self.reason else {})

    def detail(self):
        container = dict(self.overrides)
        if self.machine is not None:
            container["logStreamName"] = f"worker/default/{self.id[:8]}"
        if self.attempts and "exitCode" in self.attempts[-1]["container"]:
            container["exitCode"] = self.attempts[-1]["container"]["exitCode"]
        told = {"jobQueue": f"{ARN}:job-queue/{self.request['jobQueue']}", "container": container}
        told |= {name: self.request[name] for name in ("tags", "timeout", "retryStrategy")}
        told |= {"attempts": self.attempts, "jobDefinition": self.request["jobDefinition"]}
        told |= {"isCancelled": self.cancelled, "isTerminated": self.terminated}
        return self.summary() | told


class FakeAwsBatch:
    """Use it as a context; `url` is its address.

    models: a folder of models for the workers. capacity: machines that EC2 has. list_lag: calls of
    ListJobs that do not know a new job. key: the id of the access key; empty: any.
    """

    def __init__(self, models, *, queues=("spot",), capacity=2, key=""):
        self.models, self.capacity, self.key, self.list_lag = models, capacity, key, 0
        self.faults, self.requests = defaultdict(deque), []
        self.jobs, self.definitions = {}, {"worker": definition()}
        self.environments = {f"{name}-machines": environment(f"{name}-machines") for name in queues}
        self.queues = {name: queue(name, f"{name}-machines") for name in queues}
        self.head_seconds, self.released = 0, threading.Event()
        self._numbers = count(1_700_000_000_000)
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        with self._changed:
            self.capacity = 0
            machines = [job.machine for job in self.jobs.values() if job.status == "RUNNING"]
        for machine in machines:
            machine.kill()
        self.wait_for(lambda: not any(job.status == "RUNNING" for job in self.jobs.values()))

    @property
    def settings(self):
        """As the environment of an orchestrator that uses this account."""
        names = ("g6.xlarge", "g5.xlarge", "g4dn.xlarge")
        pairs = zip(names, self.queues, strict=False)
        return {
            "aws_batch_url": self.url,
            "aws_batch_queues": ",".join(f"{type_}={queue}" for type_, queue in pairs),
            "aws_batch_job_definition": "worker",
            "aws_access_key_id": self.key or "AKIATEST",
            "aws_secret_access_key": "secret",
        }

    def count(self, operation):
        """How often clients asked so."""
        return [asked for asked, _ in self.requests].count(operation)

    def named(self, name):
        """All jobs of a name."""
        return [job for job in self.jobs.values() if job.name == name]

    def is_at_work(self, submission):
        """Whether a machine can still go on with what was submitted."""
        job = self.jobs.get(submission.provider_id.partition("#")[0])
        return job is not None and job.status not in OVER and not job.terminated

    # --- what EC2 does ---

    def give_capacity(self, machines):
        """From now on, EC2 has so many machines."""
        with self._changed:
            self.capacity = machines
            self._start_what_can_start()

    def interrupt(self, id_, *, notice=True):
        """EC2 takes the machine of a job: after a notice and what the worker does then, or at once.

        The host's end is the reason that AWS Batch gives, whatever the container's status was.
        """
        machine = self.jobs[id_].machine
        machine.is_taken = True
        if notice:
            machine.announce()
        else:
            machine.kill()

    def time_out(self, id_):
        """An attempt has run for its whole time, as if that were over."""
        with self._changed:
            self._stop(self.jobs[id_], "Job attempt duration exceeded timeout", running=True)

    def lose(self, id_):
        """Nobody knows the job any more, and its machine is gone."""
        with self._changed:
            job = self.jobs.pop(id_)
        if job.status == "RUNNING":
            job.machine.kill()

    def wait_for(self, what, seconds=LONG_SECONDS):
        """Until `what()` is true, looked at after each change; what it gave."""
        with self._changed:
            found = self._changed.wait_for(what, seconds)
        assert found, f"not within {seconds} s: {[job.summary() for job in self.jobs.values()]}"
        return found

    def end_of(self, id_):
        """Wait until a job is over; the job."""
        self.wait_for(lambda: self.jobs[id_].status in OVER)
        return self.jobs[id_]

    # --- the API: each gets the request, and gives the answer ---

    def submitjob(self, asked):
        _refuse_if(len(json.dumps(asked)) > PAYLOAD_BYTES, "Job payload exceeds 30 KiB")
        characters = len(json.dumps(asked.get("containerOverrides", {})))
        _refuse_if(
            characters > OVERRIDES_CHARACTERS,
            f"Container Overrides length must be at most {OVERRIDES_CHARACTERS}",
        )
        _refuse_if(not _NAME.fullmatch(asked["jobName"]), "jobName is invalid")
        _refuse_if(asked["timeout"]["attemptDurationSeconds"] < 60, "timeout is below 60")
        named = self.queues.get(asked["jobQueue"])
        _refuse_if(not named, f"JobQueue {asked['jobQueue']} not found.")
        _refuse_if(named["state"] != "ENABLED", "Cannot submit job to disabled queue")
        known = asked["jobDefinition"].partition(":")[0] in self.definitions
        _refuse_if(not known, f"JobDefinition {asked['jobDefinition']} not found.")
        with self._changed:
            job = Job(asked, created=next(self._numbers), hidden=self.list_lag)
            self.jobs[job.id] = job
            self._start_what_can_start()
        return {"jobId": job.id, "jobName": job.name, "jobArn": f"{ARN}:job/{job.id}"}

    def listjobs(self, asked):
        (chosen,) = asked["filters"]
        _refuse_if(chosen["name"] != "JOB_NAME", "this server knows one filter")
        pattern, found = chosen["values"][0].lower(), []
        with self._changed:
            for job in self.jobs.values():
                if job.request["jobQueue"] == asked["jobQueue"] and job.hidden == 0:
                    found += [job.summary()] if fnmatch(job.name.lower(), pattern) else []
                job.hidden = max(0, job.hidden - 1)
        found.sort(key=lambda job: -job["createdAt"])
        return {"jobSummaryList": found[: asked.get("maxResults", 100)]}

    def describejobs(self, asked):
        _refuse_if(len(asked["jobs"]) > DESCRIBED, f"jobs must have at most {DESCRIBED} items")
        with self._changed:
            found = [self.jobs[id_].detail() for id_ in asked["jobs"] if id_ in self.jobs]
        return {"jobs": found}

    def terminatejobs(self, asked):
        return self._stop_all(asked, running=True)

    def canceljobs(self, asked):
        return self._stop_all(asked, running=False)

    def describejobqueues(self, asked):
        return {"jobQueues": [self.queues[one] for one in asked["jobQueues"] if one in self.queues]}

    def describecomputeenvironments(self, asked):
        names = [one.rpartition("/")[2] for one in asked["computeEnvironments"]]
        found = [self.environments[one] for one in names if one in self.environments]
        return {"computeEnvironments": found}

    def describejobdefinitions(self, asked):
        name = asked.get("jobDefinitionName") or asked["jobDefinitions"][0].partition(":")[0]
        found = self.definitions.get(name)
        return {"jobDefinitions": [found] if found else []}

    def getjobqueuesnapshot(self, asked):
        now = 1_800_000_000_000  # of AWS's clock
        waiting = [job for job in self.jobs.values() if job.status == "RUNNABLE"]
        since = now - self.head_seconds * 1000
        jobs = [
            {"jobArn": f"{ARN}:job/{one.id}", "earliestTimeAtPosition": since} for one in waiting
        ]
        _refuse_if(asked["jobQueue"] not in self.queues, "not found")
        return {"frontOfQueue": {"jobs": jobs[:100], "lastUpdatedAt": now}}

    # --- what happens to jobs ---

    def _stop_all(self, asked, *, running):
        _refuse_if(len(asked["jobs"]) > STOPPED, f"jobs must have at most {STOPPED} items")
        with self._changed:
            for id_ in asked["jobs"]:
                self._stop(self.jobs.get(id_), asked["reason"], running=running)
            self._changed.notify_all()
        return {"successful": asked["jobs"], "errors": []}

    def _stop(self, job, reason, *, running):
        if job is None or job.status in OVER:
            return
        if job.status == "RUNNABLE":
            job.status, job.reason, job.cancelled = "FAILED", reason, True
        elif running:
            job.terminated, job.reason = True, reason
            job.machine.stop()

    def _start_what_can_start(self):
        for job in self.jobs.values():
            busy = sum(one.status == "RUNNING" for one in self.jobs.values())
            if job.status == "RUNNABLE" and busy < self.capacity and not self.released.is_set():
                job.machine, job.status = SpotMachine(job.overrides, self.models), "RUNNING"
                threading.Thread(target=self._attend, args=(job, job.machine), daemon=True).start()
        self._changed.notify_all()

    def _attend(self, job, machine):
        status = machine.wait(None)
        machine.close()
        with self._changed:
            self._end(job, machine, status)
            self._start_what_can_start()

    def _end(self, job, machine, status):
        """The end of an attempt; then evaluateOnExit decides."""
        container = {"exitCode": status} if status >= 0 else {}
        reason = f"Host EC2 (instance {machine.id}) terminated." if machine.is_taken else EXITED
        job.attempts.append({"statusReason": reason, "container": container})
        job.reason = job.reason if job.terminated else reason
        if status == 0:
            job.status = "SUCCEEDED"
            return
        strategy = job.request["retryStrategy"]
        more = len(job.attempts) < strategy["attempts"] and not job.terminated
        again = more and action(strategy["evaluateOnExit"], reason, "", status) == "RETRY"
        job.status = "RUNNABLE" if again else "FAILED"


def action(rules, status_reason, reason, exit_code):
    """What evaluateOnExit says: the first rule of which all patterns match, else RETRY."""
    told = {"onStatusReason": status_reason, "onReason": reason, "onExitCode": str(exit_code)}
    for rule in rules:
        patterns = [(told[name], pattern) for name, pattern in rule.items() if name != "action"]
        if all(fnmatch(text.lower(), pattern.lower()) for text, pattern in patterns):
            return rule["action"].upper()
    return "RETRY"


def _refuse_if(wrong, why):
    if wrong:
        raise RefusedError("ClientException", why)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
