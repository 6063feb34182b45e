"""What is wrong with an S3 store, in words of ours.

The messages of obstore may quote whole requests, with credentials in them: they are searched for
what they tell of, and never shown.
"""

from typing import Final

from obstore.exceptions import BaseError

# obstore raises one of Python's own classes too, for a bucket that is not there
ERRORS: Final = (BaseError, FileNotFoundError)

_REASONS: Final = {
    ("NoSuchBucket",): "there is no such bucket; check STORAGE_URL",
    (
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
    ): "the credentials were refused; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
    "AWS_SESSION_TOKEN",
    ("AccessDenied", "PermissionDenied", "Unauthenticated", "403"): "access was denied; the "
    "credentials need leave to list, read and write there",
    ("PermanentRedirect", "301"): "the bucket is in another region; check AWS_REGION",
    ("error sending request", "Connect", "dns error", "timed out"): "the store cannot be "
    "reached; check AWS_ENDPOINT_URL and the network",
}


def is_bucket_missing(error: Exception) -> bool:
    """Whether nothing is there because the bucket itself is not."""
    return "NoSuchBucket" in str(error)


def reason(error: Exception) -> str:
    """The cause, as far as it can be told, and what to check."""
    text = f"{type(error).__name__} {error}"
    for signs, said in _REASONS.items():
        if any(sign in text for sign in signs):
            return said
    return type(error).__name__
