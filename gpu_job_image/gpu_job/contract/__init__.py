"""The job contract: what the orchestrator sends to a worker, and what it gets back.

All times within a recording are integer milliseconds from its first sample. Wall-clock times are
aware UTC. A minor change adds optional fields; CONTRACT_VERSION rises only when a worker of the
old version would do the wrong thing; raising it never invalidates results that exist.
`docs/contract.schema.json` describes the same types for readers who do not use Python.
"""

from .lease import CloudMachine, ErrorCode, JobError, Lease, Timings, Usage, WorkerPlace
from .parts import CONTRACT_VERSION, Address, Contract, Milliseconds, SpeechRegion
from .request import (
    Channels,
    Diarizer,
    JobAddresses,
    JobLimits,
    JobOptions,
    JobRequest,
    Manifest,
    Speakers,
    Task,
)
from .result import (
    Evidence,
    JobResult,
    JobWarning,
    Segment,
    SpeakerEmbedding,
    Turn,
    Word,
    WordTimes,
)

__all__ = [
    "CONTRACT_VERSION",
    "Address",
    "Channels",
    "CloudMachine",
    "Contract",
    "Diarizer",
    "ErrorCode",
    "Evidence",
    "JobAddresses",
    "JobError",
    "JobLimits",
    "JobOptions",
    "JobRequest",
    "JobResult",
    "JobWarning",
    "Lease",
    "Manifest",
    "Milliseconds",
    "Segment",
    "SpeakerEmbedding",
    "Speakers",
    "SpeechRegion",
    "Task",
    "Timings",
    "Turn",
    "Usage",
    "Word",
    "WordTimes",
    "WorkerPlace",
]
