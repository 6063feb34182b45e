"""How long an attempt may wait and run, and what happens where its addresses would end before."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from pipelines.billing.quotes import Capabilities
from resources.failures import BackendUnavailableError
from resources.gpu.orders import Limits, sized

MOST = Limits(queue_seconds=21_600, run_seconds=7_200)


def chosen(run_seconds, *, paid=True):
    backend = SimpleNamespace(capabilities=Capabilities(paid=paid, third_party=True))
    return SimpleNamespace(backend=backend, quote=SimpleNamespace(run_seconds=run_seconds))


@pytest.mark.parametrize(
    ("run_seconds", "limit"), [(0, 600), (60, 840), (1_000.1, 4_601), (5_000, 7_200)]
)
def test_where_seconds_are_paid_the_run_is_limited_by_what_is_expected_of_it(run_seconds, limit):
    assert sized(MOST, chosen(run_seconds), None).run_seconds == limit


def test_where_nobody_pays_a_job_has_all_its_time():
    assert sized(MOST, chosen(10, paid=False), None) == MOST


@pytest.mark.parametrize(
    ("life", "queue_seconds"),
    [(timedelta(days=7), 21_600), (timedelta(hours=6), 20_100), (timedelta(minutes=40), 900)],
)
def test_a_credential_that_ends_early_shortens_the_queue(life, queue_seconds):
    """What is left of it, but for a run of 600 s and a margin of 900 s."""
    assert sized(MOST, chosen(0), life).queue_seconds == queue_seconds


def test_too_little_of_its_life_is_told_before_anything_is_submitted():
    with pytest.raises(BackendUnavailableError, match=r"live 39 minutes.*JOB_TIMEOUT") as caught:
        sized(MOST, chosen(0), timedelta(minutes=39))

    assert caught.value.lasting


def test_a_queue_that_is_meant_to_be_short_is_no_fault():
    assert sized(Limits(60, 600), chosen(0), timedelta(minutes=26)).queue_seconds == 60
