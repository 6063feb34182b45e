"""Failures of a job by kind: each is told once, where the outside is touched."""

from pydantic import ValidationError

from .contract import ErrorCode, JobError


class JobFailedError(Exception):
    """The job cannot be done; `error` is what the claim will say."""

    def __init__(self, code: ErrorCode, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.error = JobError(code=code, permanent=permanent, message=message)


class ModelMissingError(JobFailedError):
    """A model is neither a folder nor to be had from the hub: what was tried, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__("model_missing", message)


class LicenceError(JobFailedError):
    """The hub gives a model only to who has accepted its terms, or shows a token."""

    def __init__(self, message: str) -> None:
        super().__init__("licence", message)


class OutOfMemoryError(JobFailedError):
    """Even the smallest batch did not fit; this process is not to be used again."""

    def __init__(self, message: str) -> None:
        super().__init__("out_of_memory", message)


_MAYBE_AN_ADDRESS = ("://", "signature", "sig=", "token=")  # urllib3 says paths without their host
_OUT_OF_MEMORY = ("out of memory", "cublas_status_alloc_failed", "cudnn_status_alloc_failed")
_CARD_IS_LOST = ("cuda error", "cuda failed", "cublas_status", "cudnn_status", "device-side assert")


def is_out_of_memory(error: BaseException) -> bool:
    """As CTranslate2, torch, cuBLAS and Python say it."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY)


def is_card_lost(error: BaseException) -> bool:
    """After such an error every later call of the process fails too."""
    text = str(error).lower()
    return any(sign in text for sign in _CARD_IS_LOST)


def places_of(wrong: ValidationError) -> str:
    """Where a document is wrong, without what it says: that may be an address."""
    return "; ".join(".".join(map(str, each["loc"])) for each in wrong.errors()[:3])


def without_addresses(crash: BaseException) -> str:
    """The kind of a crash and its text, unless the text may hold an address."""
    name, text = type(crash).__name__, str(crash)
    may_hold_one = any(sign in text.lower() for sign in _MAYBE_AN_ADDRESS)
    return name if may_hold_one else f"{name}: {text}"
