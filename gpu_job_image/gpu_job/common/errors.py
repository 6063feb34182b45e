"""Failures of a job by kind."""

from pydantic import ValidationError

from ..contract import ErrorCode, JobError


class JobFailedError(Exception):
    """The job cannot be done; `error` goes into the lease."""

    def __init__(self, code: ErrorCode, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.error = JobError(code=code, permanent=permanent, message=message)


class ModelMissingError(JobFailedError):
    """A model is neither a folder nor available on the hub: what was tried, and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__("model_missing", message)


class LicenceError(JobFailedError):
    """The hub serves a model only to users who accepted its terms, or with a token."""

    def __init__(self, message: str) -> None:
        super().__init__("licence", message)


class OutOfMemoryError(JobFailedError):
    """Even the smallest batch did not fit; do not use this process again."""

    def __init__(self, message: str) -> None:
        super().__init__("out_of_memory", message)


_MAYBE_AN_ADDRESS = (
    "://",
    "signature",
    "sig=",
    "token=",
)  # urllib3 reports paths without their host
_secrets: set[str] = set()  # of this process
_OUT_OF_MEMORY = ("out of memory", "cublas_status_alloc_failed", "cudnn_status_alloc_failed")
_CARD_IS_LOST = ("cuda error", "cuda failed", "cublas_status", "cudnn_status", "device-side assert")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of CTranslate2, torch, cuBLAS or Python means: out of memory."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(sign in text for sign in _OUT_OF_MEMORY)


def is_card_lost(error: BaseException) -> bool:
    """Whether the GPU context is lost: every later call of the process fails too."""
    text = str(error).lower()
    return any(sign in text for sign in _CARD_IS_LOST)


def places_of(wrong: ValidationError) -> str:
    """The invalid fields of a document, without their values, which may be addresses."""
    return "; ".join(".".join(map(str, each["loc"])) for each in wrong.errors()[:3])


def hide_in_errors(*secrets: str) -> None:
    """Texts with one of these values are not shown from now on."""
    _secrets.update(secret for secret in secrets if secret)


def without_addresses(crash: BaseException) -> str:
    """The type of an exception and its text, unless the text may contain an address or a key."""
    name, text = type(crash).__name__, str(crash)
    may_hold_one = any(sign in text.lower() for sign in _MAYBE_AN_ADDRESS)
    may_hold_one = may_hold_one or any(secret in text for secret in _secrets)
    return name if may_hold_one else f"{name}: {text}"
