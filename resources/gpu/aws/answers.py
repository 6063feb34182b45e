"""AWS's errors: transient, or a refusal.

No error here holds a URL, a request's values, or an error of botocore, which may hold both.
"""

from collections.abc import Mapping
from typing import Any

from escriba.errors import EscribaError
from resources.http.json_requests import readable

_BUSY = {
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
}
_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_SERVER_ERRORS = 500


class NoAnswerError(EscribaError):
    """No usable answer, or not now. what: the cause. is_refusal: AWS certainly did not act."""

    def __init__(self, what: str, *, is_refusal: bool = False) -> None:
        super().__init__(what)
        self.what, self.is_refusal = what, is_refusal


class RefusedError(EscribaError):
    """AWS refuses the request; a retry does not help. code: as AWS names it."""

    def __init__(self, code: str, text: str = "") -> None:
        super().__init__(f"{code}{': ' if text else ''}{text}")
        self.code, self.text = code, text

    @property
    def is_credentials(self) -> bool:
        """Whether the credentials are missing, unknown or expired."""
        return self.code in _CREDENTIALS

    @property
    def is_denied(self) -> bool:
        """Whether the credentials lack a permission."""
        return self.code in _DENIED


def refusal(refused: RefusedError, region: str) -> str:
    """What AWS refuses, and what to do."""
    if refused.is_credentials:
        return (
            f"AWS refuses the credentials ({refused.code}). Set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or a profile or role of AWS's credential chain."
        )
    if refused.is_denied:
        return (
            f"AWS denies a permission ({refused}). Use the role that `escriba deploy aws` makes "
            "for the orchestrator."
        )
    return (
        f"AWS Batch refuses the request ({refused}). Check AWS_BATCH_QUEUES and "
        f"AWS_BATCH_JOB_DEFINITION in AWS_REGION={region}: run `escriba doctor`."
    )


def error_of(error: Exception) -> NoAnswerError | RefusedError:
    """The error to raise for one of botocore; raise it outside of `except`."""
    import botocore.exceptions as of_aws  # noqa: PLC0415  # 0.5 s
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    if isinstance(error, of_aws.ClientError):
        return _of_answer(error.response)
    name = type(error).__name__
    missing = (
        of_aws.NoCredentialsError,
        of_aws.PartialCredentialsError,
        of_aws.CredentialRetrievalError,
        of_aws.SSOError,
        of_aws.TokenRetrievalError,
    )
    if isinstance(error, missing):
        return RefusedError("MissingAuthenticationToken", name)
    if isinstance(error, of_aws.EndpointConnectionError | of_aws.ConnectTimeoutError):
        return NoAnswerError(name, is_refusal=True)
    if isinstance(error, of_aws.HTTPClientError | ResponseParserError):
        return NoAnswerError(name)
    return RefusedError(name)  # botocore's own check of the request


def _of_answer(answer: Mapping[str, Any]) -> NoAnswerError | RefusedError:
    error, about = answer.get("Error", {}), answer.get("ResponseMetadata", {})
    code, status = str(error.get("Code") or "unknown"), about.get("HTTPStatusCode", 0)
    if code in _BUSY or status == 429:  # noqa: PLR2004
        return NoAnswerError(readable(code), is_refusal=True)
    if status >= _SERVER_ERRORS:
        return NoAnswerError(f"HTTP {status}")
    return RefusedError(readable(code), readable(str(error.get("Message") or "")))
