"""`work-manifests/<name>.json` in the bucket: the requests of one machine job.

It lies outside `work/<tenant>/`, since the attempts of one machine may belong to several tenants.
It holds addresses, which are secrets for as long as they are valid: it is deleted when its machine
job has ended, and at the latest when its addresses have expired.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from gpu_job.contract import JobRequest, Manifest
from gpu_job.contract.packing import packed
from resources.storage.base import Storage, StoredObject

FOLDER = "work-manifests/"
ADDRESS_MARGIN = timedelta(minutes=15)
LONGEST_ADDRESS_LIFE = timedelta(days=7)  # of any store: what is older has only expired addresses


def name_of(requests: Sequence[JobRequest]) -> str:
    """The same for each submission of the same attempts: 48 characters of a-z, 0-9 and '-'."""
    nonces = "\n".join(sorted(one.nonce for one in requests))
    return f"escriba-{hashlib.sha256(nonces.encode()).hexdigest()[:40]}"


def write_manifest(
    storage: Storage, name: str, requests: Sequence[JobRequest], life: timedelta
) -> str:
    """Write the manifest; returns a signed address, valid so long or as long as is possible.

    Raises:
        StorageError: it could not be written.
    """
    body = Manifest(requests=tuple(requests)).model_dump_json().encode()
    storage.write(key_of(name), packed(body))
    most = storage.address_life()
    life += ADDRESS_MARGIN
    return storage.address(key_of(name), "read", life if most is None else min(life, most)).url


def delete_manifest(storage: Storage, name: str) -> None:
    """Delete it, if it is there.

    Raises:
        StorageError: it could not be deleted.
    """
    if name:
        storage.delete(key_of(name))


def delete_expired(storage: Storage, now: datetime) -> int:
    """Delete what processes that were killed have left; returns how many.

    Raises:
        StorageError: the folder could not be listed, or an object not be deleted.
    """
    old = [
        one.key
        for one in storage.list(FOLDER)
        if isinstance(one, StoredObject) and now - one.modified > LONGEST_ADDRESS_LIFE
    ]
    for key in old:
        storage.delete(key)
    return len(old)


def key_of(name: str) -> str:
    """The key of a manifest."""
    return f"{FOLDER}{name}.json"
