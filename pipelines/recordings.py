"""A recording's names: its key in the inbox, its partition key, and where its outputs lie.

The partition key is the path below inbox/, with the few characters that Dagster cannot bear
percent-encoded. Both directions are exact, since a run derives everything from the key.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

INBOX = "inbox/"
TENANT_RULE = "1 to 63 characters of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit"
RESERVED_TENANTS = {  # words of the cost tables: a tenant's money would be taken for theirs
    "all": "all tenants together",
    "unallocated": "costs that no job can carry",
}
_TENANT = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
# a comma or a quote breaks the UI's partition choice, * and [] mean ranges there
_ENCODED = re.compile(r'[%,*\[\]"]|\.(?=\.\.)')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_JOBS = re.compile(r"jobs~*(?=/|$)")


class NameRefusedError(ValueError):
    """A key that can be no recording, with what to do about it."""

    def __init__(self, code: str, message: str, advice: str) -> None:
        super().__init__(f"{message} {advice}")
        self.code, self.message, self.advice = code, message, advice


@dataclass(frozen=True, slots=True, order=True)
class Recording:
    """One file below `inbox/<tenant>/`."""

    tenant: str
    path: str

    @property
    def inbox_key(self) -> str:
        """The user's file."""
        return f"{INBOX}{self.tenant}/{self.path}"

    @property
    def partition_key(self) -> str:
        """The name in Dagster; `from_partition_key` is the way back."""
        return _ENCODED.sub(lambda m: f"%{ord(m[0]):02X}", f"{self.tenant}/{self.path}")

    @property
    def name(self) -> str:
        """As people say it: tenant and path."""
        return f"{self.tenant}/{self.path}"

    def work_key(self, file: str) -> str:
        """A file of ours that can be made again."""
        return f"work/{self.tenant}/{self._folder}/{file}"

    def transcript_key(self, file: str) -> str:
        """A file that people came for."""
        return f"transcripts/{self.tenant}/{self._folder}/{file}"

    @property
    def _folder(self) -> str:
        # work/<tenant>/jobs/ is taken: jobs/ goes to jobs~/, and jobs~/ to jobs~~/
        taken = _JOBS.match(self.path)
        return f"{taken[0]}~{self.path[taken.end() :]}" if taken else self.path


def from_partition_key(key: str) -> Recording:
    """The recording of a partition; refuses what could leave the tenant's prefix."""
    return from_inbox_key(INBOX + unquote(key, errors="strict"))


def from_inbox_key(key: str) -> Recording:
    """The recording of a key in the inbox.

    Raises:
        NameRefusedError: the name can be no recording.
    """
    tenant, slash, path = key.removeprefix(INBOX).partition("/")
    _check_characters(key)
    if not slash:
        raise NameRefusedError(
            "no_tenant", "The file lies in no tenant's folder.", "Move it to inbox/<tenant>/."
        )
    check_tenant(tenant)
    _check_path(path)
    return Recording(tenant, path)


def check_tenant(tenant: str) -> None:
    """Raises NameRefusedError where the name is not allowed for a tenant."""
    if not _TENANT.fullmatch(tenant) or ".." in tenant:
        raise NameRefusedError(
            "tenant_not_allowed",
            f"{tenant!r} is not allowed as a tenant's name.",
            f"Use {TENANT_RULE}.",
        )
    if tenant in RESERVED_TENANTS:
        raise NameRefusedError(
            "tenant_reserved",
            f"{tenant!r} cannot be a tenant's name: in the tables of costs it means "
            f"{RESERVED_TENANTS[tenant]}.",
            "Choose another name.",
        )


def _check_characters(key: str) -> None:
    if _CONTROL.search(key):
        raise NameRefusedError(
            "control_characters",
            "The name holds control characters.",
            "Rename the file without them.",
        )
    try:
        key.encode()
    except UnicodeEncodeError:
        raise NameRefusedError(
            "not_utf8", "The name is not valid UTF-8.", "Rename the file, in UTF-8."
        ) from None


def _check_path(path: str) -> None:
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise NameRefusedError(
            "path_not_allowed",
            "The path holds an empty part, '.' or '..'.",
            "Upload the file under a plain path below inbox/<tenant>/.",
        )
