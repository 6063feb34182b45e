"""The job contract: what the orchestrator asks of a worker, and what it gets back.

All times within a recording are integer milliseconds from its first sample. Wall-clock times are
aware UTC. A minor change adds optional fields; CONTRACT_VERSION rises only when a worker of the
old version would do the wrong thing, and raising it never makes old results be bought again.
`docs/contract.schema.json` is the same for who does not read Python.
"""

from .claim import Claim, ErrorCode, JobError, Place, Timings, Usage
from .parts import CONTRACT_VERSION, Address, Contract, Milliseconds, SpeechRegion
from .request import (
    Channels,
    JobAddresses,
    JobLimits,
    JobOptions,
    JobRequest,
    Manifest,
    Speakers,
    Task,
)
from .result import Evidence, JobResult, JobWarning, Segment, SpeakerEmbedding, Turn, Word

__all__ = [
    "CONTRACT_VERSION",
    "Address",
    "Channels",
    "Claim",
    "Contract",
    "ErrorCode",
    "Evidence",
    "JobAddresses",
    "JobError",
    "JobLimits",
    "JobOptions",
    "JobRequest",
    "JobResult",
    "JobWarning",
    "Manifest",
    "Milliseconds",
    "Place",
    "Segment",
    "SpeakerEmbedding",
    "Speakers",
    "SpeechRegion",
    "Task",
    "Timings",
    "Turn",
    "Usage",
    "Word",
]
