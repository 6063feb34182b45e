import dagster as dg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from escriba.recordings import NameRefusedError, Recording, from_inbox_key, from_partition_key

parts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="/"),
    min_size=1,
    max_size=40,
).filter(lambda part: part not in {".", ".."})
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)
tenants = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
recordings = st.builds(Recording, tenants, paths)


@pytest.fixture(scope="module")
def instance():
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@given(recordings)
@example(Recording("t", "a%2Fb"))
@example(Recording("t", "...."))
@example(Recording("t", 'a,b[c]*"d"'))
def test_a_partition_key_leads_back_to_its_recording(recording):
    assert from_partition_key(recording.partition_key) == recording
    assert from_inbox_key(recording.inbox_key) == recording


@given(recordings)
@example(Recording("t", "a.....b"))
def test_dagster_takes_every_partition_key(instance, recording):
    instance.add_dynamic_partitions("recordings", [recording.partition_key])

    assert instance.has_dynamic_partition("recordings", recording.partition_key)
    assert not set(',*[]"') & set(recording.partition_key)
    assert "..." not in recording.partition_key


@given(recordings, recordings)
@example(Recording("t", "jobs/x"), Recording("t", "jobs~/x"))
@example(Recording("t", "jobs"), Recording("t", "jobs~"))
def test_two_recordings_never_share_a_folder(one, other):
    assert (one.work_key("x") == other.work_key("x")) == (one == other)


@given(recordings)
def test_no_recording_lies_among_the_jobs_or_outside_its_tenant(recording):
    for key in (recording.work_key("x"), recording.transcript_key("x")):
        assert key.split("/")[1] == recording.tenant
        assert ".." not in key.split("/")
    assert not recording.work_key("x").startswith(f"work/{recording.tenant}/jobs/")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("inbox/t/../other/x.mp3", "path_not_allowed"),
        ("inbox/t/./x.mp3", "path_not_allowed"),
        ("inbox/t//x.mp3", "path_not_allowed"),
        ("inbox/../x.mp3", "tenant_not_allowed"),
        ("inbox/UPPER/x.mp3", "tenant_not_allowed"),
        ("inbox/a b/x.mp3", "tenant_not_allowed"),
        ("inbox/x.mp3", "no_tenant"),
        ("inbox/t/a\nb.mp3", "control_characters"),
        ("inbox/t/a\udce3.mp3", "not_utf8"),
    ],
)
def test_a_name_that_can_be_no_recording_is_refused_with_advice(key, code):
    with pytest.raises(NameRefusedError) as refused:
        from_inbox_key(key)
    assert refused.value.code == code
    assert refused.value.advice


@pytest.mark.parametrize("key", ["t/%2E%2E/x", "t/%2e%2e", "..%2Fx", "t/%00"])
def test_a_partition_key_cannot_lead_out_of_its_tenant(key):
    with pytest.raises(NameRefusedError):
        from_partition_key(key)
