"""Stores that list other ETags than they give elsewhere, and times of long ago or to come."""

import pytest

from escriba.recordings import from_inbox_key
from intake.inbox import survey_inbox
from intake.inbox_sweep import Cursor, sweep_inbox
from intake.quarantine import write_refusal
from resources.storage import open_storage
from tests.resources.storage.faulty_s3 import faulty_s3

YEARS_AGO, IN_YEARS = 1e9, 4e9
KEY = "inbox/acme/a.wav"


@pytest.fixture
def odd_store():
    with faulty_s3() as store:
        yield store


@pytest.mark.parametrize(
    ("listed", "elsewhere"),
    [('"{}"', 'W/"{}"'), ("{}", '"{}"'), ('"list-{}"', '"head-{}"'), ("", '"{}"'), ("", "")],
)
@pytest.mark.parametrize("modified", [YEARS_AGO, IN_YEARS])
def test_a_file_that_has_a_record_is_no_work_until_it_changes(
    odd_store, listed, elsewhere, modified
):
    odd = odd_store.oddities
    odd.etag_in_list, odd.etag_elsewhere, odd.modified = listed, elsewhere, modified
    storage = open_storage(odd_store.settings())
    odd_store.put(KEY, b"1")
    refuse(storage)

    before = [survey_inbox(storage).new, sweep_inbox(storage, Cursor()).found]
    odd_store.put(KEY, b"22")
    after = [survey_inbox(storage).new, sweep_inbox(storage, Cursor()).found]

    assert before == [[], []]
    assert [len(one) for one in after] == [1, 1]


def refuse(storage):
    recording = from_inbox_key(KEY)
    write_refusal(
        storage,
        KEY,
        recording.tenant,
        etag=storage.head(KEY).etag,
        stage="raw_audio",
        code="not_audio",
        message="",
        advice="",
        permanent=True,
    )
