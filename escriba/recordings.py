"""Names of a recording: its key in the inbox, its partition key, and the keys of its outputs.

The partition key is the path below inbox/, in which the few characters that Dagster rejects are
percent-encoded. The conversion is exact both ways, since a run derives everything from the key.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from escriba.errors import EscribaError

INBOX = "inbox/"
WORK = "work/"
TENANT_RULE = "1 to 63 characters of a-z, 0-9, '-', '_' and '.', starting with a letter or digit"
RESERVED_TENANTS = {  # values with another meaning in the cost tables
    "all": "all tenants together",
    "unallocated": "costs that belong to no job",
}
_TENANT = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
# a comma or a quote breaks the UI's choice of partitions; * and [] are ranges there
_ENCODED = re.compile(r'[%,*\[\]"]|\.(?=\.\.)')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_JOBS = re.compile(r"jobs~*(?=/|$)")
_JOBS_FOLDER = re.compile(r"\A(jobs~*)~(?=/|\Z)")  # what `Recording._folder` makes of it


class NameRefusedError(EscribaError, ValueError):
    """A key that cannot be a recording, with advice."""

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
        """The name in Dagster; `from_partition_key` is the inverse."""
        return _ENCODED.sub(lambda m: f"%{ord(m[0]):02X}", f"{self.tenant}/{self.path}")

    @property
    def name(self) -> str:
        """Tenant and path, for messages."""
        return f"{self.tenant}/{self.path}"

    def work_key(self, file: str) -> str:
        """Key of an intermediate file, which can be recreated."""
        return f"{WORK}{self.tenant}/{self._folder}/{file}"

    def transcript_key(self, file: str) -> str:
        """Key of a result for users."""
        return f"transcripts/{self.tenant}/{self._folder}/{file}"

    @property
    def _folder(self) -> str:
        # work/<tenant>/jobs/ is in use: jobs/ becomes jobs~/, and jobs~/ becomes jobs~~/
        reserved = _JOBS.match(self.path)
        return f"{reserved[0]}~{self.path[reserved.end() :]}" if reserved else self.path


def from_partition_key(key: str) -> Recording:
    """The recording of a partition.

    Raises:
        NameRefusedError: the key cannot be a recording, or would leave the tenant's prefix.
    """
    try:
        return from_inbox_key(INBOX + unquote(key, errors="strict"))
    except UnicodeDecodeError:
        raise NameRefusedError(
            "not_utf8",
            f"The partition {key!r} is not UTF-8 when its %XX are decoded.",
            "Delete this partition.",
        ) from None


def from_work_key(key: str, file: str) -> Recording | None:
    """The recording with this intermediate file; None if no recording has it."""
    tenant, _, rest = key.removeprefix(WORK).partition("/")
    if not key.startswith(WORK) or not rest.endswith(f"/{file}"):
        return None
    path = _JOBS_FOLDER.sub(r"\1", rest.removesuffix(f"/{file}"))
    try:
        recording = from_inbox_key(f"{INBOX}{tenant}/{path}")
    except NameRefusedError:
        return None
    return recording if recording.work_key(file) == key else None


def from_inbox_key(key: str) -> Recording:
    """The recording of a key in the inbox.

    Raises:
        NameRefusedError: the key cannot be a recording.
    """
    tenant, slash, path = key.removeprefix(INBOX).partition("/")
    _check_characters(key)
    if not slash:
        raise NameRefusedError(
            "no_tenant", "The file is not in the folder of a tenant.", "Move it to inbox/<tenant>/."
        )
    check_tenant(tenant)
    _check_path(path)
    return Recording(tenant, path)


def check_tenant(tenant: str) -> None:
    """Raises NameRefusedError if a tenant may not have that name."""
    if not _TENANT.fullmatch(tenant) or ".." in tenant:
        raise NameRefusedError(
            "tenant_not_allowed",
            f"{tenant!r} is not a valid tenant name.",
            f"Use {TENANT_RULE}.",
        )
    if tenant in RESERVED_TENANTS:
        raise NameRefusedError(
            "tenant_reserved",
            f"{tenant!r} cannot be a tenant name: in the cost tables it means "
            f"{RESERVED_TENANTS[tenant]}.",
            "Choose another name.",
        )


def _check_characters(key: str) -> None:
    if _CONTROL.search(key):
        raise NameRefusedError(
            "control_characters",
            "The file name contains control characters.",
            "Rename the file without them.",
        )
    try:
        key.encode()
    except UnicodeEncodeError:
        raise NameRefusedError(
            "not_utf8", "The file name is not valid UTF-8.", "Rename the file in UTF-8."
        ) from None


def _check_path(path: str) -> None:
    if any(part in {"", ".", ".."} for part in path.split("/")):
        raise NameRefusedError(
            "path_not_allowed",
            "The path contains an empty part, '.' or '..'.",
            "Upload the file to a path without them below inbox/<tenant>/.",
        )
