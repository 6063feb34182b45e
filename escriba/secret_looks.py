"""Whether a text looks like a secret: a key, JSON credentials, a URL with a password or signature.

Used where a value would be shown: a setting that is no secret, an error of another library, a log.
It knows the prefixes that providers gave their keys so that scanners find them:
https://docs.github.com/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
"""

import re
from typing import Final

_KEYS: Final = (
    ("a private key", r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    ("credentials as JSON", r'"(?:private_key|client_secret|refresh_token|private_key_id)"\s*:'),
    ("credentials as JSON", r"\beyJ[A-Za-z0-9_-]{40,}"),  # in Base64, as in a JSON web token
    # Groq, RunPod; OpenAI and others. Unlike names of recordings they have a long run without
    # any sign, or after a prefix of OpenAI's letters of both cases and digits
    ("an API key", r"\b(?:gsk|rpa)_[A-Za-z0-9]{32,}"),
    ("an API key", r"\bsk-(?:[a-z0-9]{1,16}-){0,3}(?=[A-Za-z]*\d)[A-Za-z0-9]{32,}[\w-]*"),
    (
        "an API key",
        (
            r"\bsk-(?:proj|svcacct|admin|ant-[a-z0-9]{1,9})-(?=[A-Za-z_-]{0,200}\d)"
            r"(?=[a-z0-9_-]{0,200}[A-Z])(?=[A-Z0-9_-]{0,200}[a-z])[\w-]{20,}"
        ),
    ),
    ("an API key", r"\bAIza[A-Za-z0-9_-]{35}"),  # Google
    ("a token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("a token", r"\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}|glpat-[\w-]{20,})"),
    ("a token", r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"),
    ("a token", r"\bya29\.[A-Za-z0-9_-]{20,}"),  # Google's access tokens
    ("an access key of AWS", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    ("an account key of Azure", r"\bAccountKey=|[A-Za-z0-9+/]{86}=="),
)
_PATTERNS: Final = tuple((what, re.compile(pattern)) for what, pattern in _KEYS)
_SIGNED_NAMES: Final = (
    r"x-amz-signature|x-amz-security-token|x-amz-credential|x-goog-signature|x-goog-credential|"
    r"sig|signature|awsaccesskeyid|access_token|token|api[-_]?key|key|password|secret"
)
_SIGNED: Final = re.compile(rf"(?i)([?&;](?:{_SIGNED_NAMES})=)([^&\s'\"<>\\]+)")
_PASSWORD: Final = re.compile(
    r"(\w[\w+.-]*://)([^/?#\s'\"<>@:]*):(?!(?i:password|secret)@)[^/?#\s'\"<>@]+@"
)
# in sentences, too: what follows "basic" or "token" there may be the path of a recording
_HEADERS: Final = (
    re.compile(r"(?i)\b(bearer +)(?=\S*\d)[A-Za-z0-9._~+/=-]{16,}"),
    re.compile(r"(?i)\b(basic +)(?=\S*\d)[A-Za-z0-9+/]{16,}+={0,2}(?![.~-]?\w)"),
    re.compile(r"(?i)\b(token +)(?=\S*\d)[A-Za-z0-9._~+=-]{16,}+(?!/)"),
)
MASK: Final = "***"


def secret_look(text: str) -> str:
    """What the text contains, such as 'an API key'; empty: nothing that looks like a secret."""
    for what, pattern in _PATTERNS:
        if pattern.search(text):
            return what
    if _PASSWORD.search(text):
        return "a URL with a password"
    return "a signed URL" if _SIGNED.search(text) else ""


def without_lookalikes(text: str) -> str:
    """The text without what looks like a secret: keys, passwords and signatures in URLs."""
    if "://" in text:
        text = _PASSWORD.sub(rf"\1{MASK}:{MASK}@", text)
    if "=" in text:
        text = _SIGNED.sub(rf"\1{MASK}", text)
    for header in _HEADERS:
        text = header.sub(rf"\1{MASK}", text)
    for _, pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    return text
