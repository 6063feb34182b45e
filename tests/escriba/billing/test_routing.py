"""Which backend has a job: the rules one by one, and what holds of every verdict."""

import dataclasses
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escriba.billing.backend_exclusions import lasting_exclusion
from escriba.billing.permissions import BudgetLeft, Permission
from escriba.billing.quotes import Capabilities, Health, JobSize, Quote
from escriba.billing.routing import BackendOffer, route

JOB = JobSize(
    audio_ms=3_600_000,
    speech_ms=3_000_000,
    audio_bytes=50_000_000,
    model="large-v3-turbo",
    language="pt",
    diarized=True,
)
WELL = Health("well")
SLOW = Health("degraded", "8 jobs wait and no worker runs")
PROBE = Health("degraded", "one job may probe it after: HTTP 500", probe=True)
DOWN = Health("down", "circuit open for 30 s after: HTTP 500")


def offer(name="runpod/l4", usd="0.14", seconds=700.0, health=WELL, **capabilities):
    backend, sku = name.split("/")
    can = Capabilities(**({"paid": True, "third_party": False} | capabilities))
    quote = Quote(backend, sku, Decimal(usd), seconds, seconds, "planned")
    return BackendOffer(quote, can, health)


def verdict(*offers, job=JOB, primary="auto", priority="cost", permission=None, left=()):
    return route(
        job,
        offers,
        primary=primary,
        priority=priority,
        permission=permission or Permission(),
        left=left,
    )


def chosen(*offers, **wishes):
    found = verdict(*offers, **wishes)
    return f"{found.backend}/{found.sku}" if found.backend else ""


CHEAP = offer("gcp_gpu/t4", "0.07", 900.0)
QUICK = offer("openai/whisper-1", "0.36", 120.0, quality=2)
GOOD = offer("aws_gpu/g5.xlarge", "0.10", 800.0, quality=3)
RUNPOD = offer("runpod/l4", "0.14", 700.0, quality=1)


@pytest.mark.parametrize(
    ("priority", "best"),
    [("cost", "gcp_gpu/t4"), ("latency", "openai/whisper-1"), ("quality", "aws_gpu/g5.xlarge")],
)
def test_without_a_primary_the_priority_decides(priority, best):
    assert chosen(CHEAP, QUICK, GOOD, RUNPOD, priority=priority) == best


@pytest.mark.parametrize("priority", ["cost", "latency", "quality"])
def test_the_primary_is_taken_though_others_are_better(priority):
    found = verdict(CHEAP, QUICK, GOOD, RUNPOD, primary="runpod", priority=priority)

    assert found.backend == "runpod"
    assert found.reason == "runpod/l4 is PRIMARY_BACKEND and healthy"


def test_of_the_primarys_skus_the_best_by_priority_is_taken():
    large = offer("runpod/h100", "0.30", 100.0)

    assert chosen(large, RUNPOD, CHEAP, primary="runpod") == "runpod/l4"
    assert chosen(large, RUNPOD, CHEAP, primary="runpod", priority="latency") == "runpod/h100"


def test_equal_costs_are_decided_by_latency_and_equal_qualities_by_cost():
    slow, quick = offer("aws_gpu/a", "0.1", 900), offer("runpod/b", "0.1", 100)
    dear, cheap = offer("aws_gpu/a", "0.2", 1), offer("runpod/b", "0.1", 9)

    assert chosen(slow, quick, priority="cost") == "runpod/b"
    assert chosen(dear, cheap, priority="quality") == "runpod/b"


def test_short_audio_goes_where_it_starts_quickly():
    gpu, api = offer("runpod/l4", "0.01", 45.0), offer("openai/whisper-1", "0.03", 9.0)

    assert chosen(gpu, api, priority="latency") == "openai/whisper-1"


def test_a_degraded_backend_is_taken_only_where_no_healthy_one_may():
    slow = offer("runpod/l4", health=SLOW)

    assert chosen(slow, QUICK, primary="runpod") == "openai/whisper-1"
    assert chosen(slow, offer("aws_gpu/x", health=DOWN), primary="runpod") == "runpod/l4"


def test_a_degraded_primary_is_named_with_what_ails_it():
    slow = offer("runpod/l4", health=SLOW)

    alone, passed_over = verdict(slow, primary="runpod"), verdict(slow, CHEAP, primary="runpod")

    assert alone.reason == (
        "runpod/l4 is PRIMARY_BACKEND and degraded (8 jobs wait and no worker runs), "
        "but no healthy backend is eligible"
    )
    assert passed_over.reason == (
        "cheapest of 1 eligible: gcp_gpu/t4 at 0.07 USD in 900 s; "
        "PRIMARY_BACKEND: runpod/l4: 8 jobs wait and no worker runs"
    )


def test_a_backend_that_may_be_tried_again_gets_the_one_job_that_tries():
    again = offer("runpod/l4", health=PROBE)

    assert chosen(again, CHEAP, primary="runpod") == "runpod/l4"
    assert "due for a probe" in verdict(again, CHEAP, primary="runpod").reason


def test_a_last_resort_is_taken_only_where_no_other_healthy_one_may_unless_it_is_primary():
    here = offer("local/this-machine", "0.01", paid=False, last_resort=True)

    assert chosen(here, QUICK) == "openai/whisper-1"
    assert chosen(here, offer(health=SLOW)) == "local/this-machine"
    assert chosen(here, QUICK, primary="local") == "local/this-machine"
    assert verdict(here).reason.startswith("last resort: local/this-machine")


@pytest.mark.parametrize(
    ("changes", "capabilities", "text"),
    [
        ({}, {"diarization": False}, "it does not support diarization"),
        ({}, {"languages": frozenset({"en"})}, "the language is 'pt', and it supports en"),
        (
            {"model": "medium"},
            {"models": frozenset({"small"})},
            "its workers load small, not the model medium",
        ),
        (
            {"language": None},
            {"languages": frozenset({"en", "de"})},
            "the language is unknown, and it supports de, en",
        ),
        ({}, {"max_audio_seconds": 3599.5}, "3,600 s of audio exceed its limit of 3,599.5"),
        (
            {},
            {"max_audio_bytes": 25_000_000},
            "50,000,000 bytes exceed its limit of 25,000,000",
        ),
    ],
)
def test_who_cannot_do_a_job_is_excluded_with_value_and_limit(changes, capabilities, text):
    job = dataclasses.replace(JOB, **changes)

    [found] = verdict(offer(**capabilities), job=job).blocked("capability")

    assert text in found.excluded


@pytest.mark.parametrize(
    "capabilities",
    [
        {"languages": frozenset({"pt"})},
        {"max_audio_seconds": 3600.0},
        {"max_audio_bytes": 50_000_000},
        {"regions": frozenset({"eu-west-1"})},
    ],
)
def test_a_limit_that_is_just_met_excludes_nobody(capabilities):
    permission = Permission(regions=("eu-west-1",)) if "regions" in capabilities else None

    assert chosen(offer(**capabilities), permission=permission) == "runpod/l4"


@pytest.mark.parametrize(
    ("permission", "capabilities", "text"),
    [
        (
            {"third_parties": False},
            {"third_party": True},
            "it sends audio to a third party, which the tenant forbids",
        ),
        (
            {"regions": ("eu-west-1",)},
            {},
            "its region is unknown, and the tenant permits only eu-west",
        ),
        (
            {"regions": ("eu-west-1",)},
            {"regions": frozenset({"eu-west-1", "us-east-1"})},
            "it may run in us-east-1, and the tenant permits only eu-west-1",
        ),
        (
            {"backends": ("aws_gpu", "local")},
            {},
            "the tenant permits only these backends: aws_gpu, local",
        ),
        ({"backends": ()}, {}, "permits only these backends: none"),
    ],
)
def test_what_a_tenant_does_not_permit_is_excluded(permission, capabilities, text):
    found = verdict(offer(**capabilities), permission=Permission(**permission))

    assert not found.backend
    assert text in found.blocked("permission")[0].excluded


def test_regions_are_compared_without_regard_to_capitals():
    may = offer(regions=frozenset({"EU-RO-1"}))

    assert chosen(may, permission=Permission(regions=("eu-ro-1",))) == "runpod/l4"


@pytest.mark.parametrize("lasting", [True, False])
def test_a_backend_that_is_down_is_excluded_and_whether_that_lasts_is_kept(lasting):
    down = offer(health=Health("down", "HTTP 401: the key is refused", lasting=lasting))

    found = verdict(down, CHEAP, primary="runpod")

    assert found.backend == "gcp_gpu"
    [out] = found.blocked("health")
    assert out.lasting == lasting
    assert "HTTP 401: the key is refused" in out.excluded
    assert found.reason.endswith(
        "PRIMARY_BACKEND: runpod/l4: it is down: HTTP 401: the key is refused"
    )


def left(name, of, still):
    return BudgetLeft(limit=name, limit_usd=Decimal(of), left_usd=Decimal(still))


def test_the_limit_of_which_least_is_left_blocks_and_is_named():
    limits = (left("MONTHLY_COST_THRESHOLD", 1000, 60), left("DAILY_COST_THRESHOLD", 50, "0.05"))

    found = verdict(RUNPOD, CHEAP, left=limits)

    assert not found.backend
    assert {one.excluded for one in found.blocked("budget")} == {
        "about 0.14 USD would exceed DAILY_COST_THRESHOLD=50: 0.05 USD left",
        "about 0.07 USD would exceed DAILY_COST_THRESHOLD=50: 0.05 USD left",
    }
    assert found.reason.startswith(
        "no backend can take it: gcp_gpu/t4: about 0.07 USD would exceed"
    )


def test_what_is_left_to_the_last_cent_may_be_spent():
    assert chosen(RUNPOD, left=[left("DAILY_COST_THRESHOLD", 50, "0.14")]) == "runpod/l4"


def test_a_budget_that_is_used_up_holds_paid_backends_alone():
    here = offer("local/this-machine", paid=False)

    found = verdict(RUNPOD, here, primary="runpod", left=[left("DAILY_COST_THRESHOLD", 50, -3)])

    assert found.backend == "local"
    assert ": 0 USD left" in found.blocked("budget")[0].excluded


def test_where_nothing_is_set_up_the_verdict_says_so():
    assert verdict().reason == "no backend can take it: none is set up"


def test_a_primary_that_makes_no_offer_is_missed_aloud():
    assert verdict(CHEAP, primary="runpod").reason.endswith(
        "PRIMARY_BACKEND: runpod makes no offer"
    )


healths = st.sampled_from(
    [WELL, WELL, WELL, SLOW, DOWN, PROBE, Health("down", "no workers", lasting=True)]
)
abilities = st.builds(
    Capabilities,
    paid=st.booleans(),
    third_party=st.booleans(),
    diarization=st.sampled_from([True, True, False]),
    languages=st.sampled_from([None, None, frozenset({"en"}), frozenset({"pt"})]),
    max_audio_seconds=st.sampled_from([None, 86_400.0, 600.0]),
    max_audio_bytes=st.sampled_from([None, None, 25_000_000]),
    regions=st.sampled_from([frozenset(), frozenset({"eu"}), frozenset({"us"})]),
    quality=st.integers(0, 3),
    last_resort=st.booleans(),
)
quotes = st.builds(
    Quote,
    backend=st.sampled_from(["runpod", "aws_gpu", "openai", "local"]),
    sku=st.sampled_from(["a", "b"]),
    cost_usd=st.decimals(0, 2, places=2),
    run_seconds=st.just(1.0),
    latency_seconds=st.integers(0, 3).map(float),
    basis=st.just("planned"),
)
offer_lists = st.lists(
    st.builds(BackendOffer, quotes, abilities, healths),
    min_size=1,
    max_size=8,
    unique_by=lambda one: one.name,
)
jobs = st.builds(
    dataclasses.replace,
    st.just(JOB),
    diarized=st.booleans(),
    language=st.sampled_from([None, "pt"]),
)
worlds = st.fixed_dictionaries(
    {
        "primary": st.sampled_from(["auto", "runpod", "local"]),
        "priority": st.sampled_from(["cost", "latency", "quality"]),
        "permission": st.builds(
            Permission,
            third_parties=st.booleans(),
            regions=st.sampled_from([None, None, ("eu",)]),
            backends=st.sampled_from([None, None, ("runpod", "local")]),
        ),
        "left": st.lists(
            st.decimals(-1, 9, places=2).map(lambda usd: left("LIMIT", 5, usd)), max_size=2
        ),
    }
)


@given(jobs, offer_lists, worlds, st.randoms(use_true_random=False))
def test_the_order_of_the_offers_does_not_matter(job, offers, world, dice: random.Random):
    shuffled = list(offers)
    dice.shuffle(shuffled)

    assert route(job, shuffled, **world) == route(job, offers, **world)


@given(jobs, offer_lists, worlds)
def test_each_offer_is_considered_once_and_none_excluded_is_chosen(job, offers, world):
    found = route(job, offers, **world)

    names = {f"{one.backend}/{one.sku}": one for one in found.considered}
    assert set(names) == {one.name for one in offers}
    assert len(found.considered) == len(offers)
    assert all(bool(one.excluded) == bool(one.blocked_by) for one in found.considered)
    may = [one for one in found.considered if not one.excluded]
    assert bool(found.backend) == bool(may)
    if may:
        assert (found.backend, found.sku) == (may[0].backend, may[0].sku)


@given(jobs, offer_lists, worlds)
def test_a_healthy_primary_that_may_is_always_chosen(job, offers, world):
    found = route(job, offers, **world)

    health = {one.name: one.health for one in offers}
    may = [one for one in found.considered if not one.excluded]
    well = [one for one in may if health[f"{one.backend}/{one.sku}"].state == "well"]
    if any(one.backend == world["primary"] for one in well):
        assert found.backend == world["primary"]
    if well:
        chosen_health = health[f"{found.backend}/{found.sku}"]
        assert chosen_health.state == "well" or chosen_health.probe


@given(jobs, offer_lists, worlds)
def test_whoever_may_have_it_breaks_no_rule(job, offers, world):
    found = route(job, offers, **world)

    may = {f"{one.backend}/{one.sku}" for one in found.considered if not one.excluded}
    for one in [one for one in offers if one.name in may]:
        can, permission = one.capabilities, world["permission"]
        assert one.health.state != "down"
        assert can.diarization or not job.diarized
        assert can.languages is None or job.language in can.languages
        assert permission.third_parties or not can.third_party
        assert permission.backends is None or one.quote.backend in permission.backends
        assert permission.regions is None or can.regions == {"eu"}
        assert not can.paid or all(one.quote.cost_usd <= limit.left_usd for limit in world["left"])


def priced(offers, name, usd):
    return [
        dataclasses.replace(one, quote=dataclasses.replace(one.quote, cost_usd=usd))
        if one.name == name
        else one
        for one in offers
    ]


def chosen_of(job, offers, world):
    found = route(job, offers, **world)
    return f"{found.backend}/{found.sku}" if found.backend else ""


@given(jobs, offer_lists, worlds, st.decimals(0, 1, places=2))
def test_whoever_is_chosen_stays_so_when_it_gets_cheaper(job, offers, world, part):
    name = chosen_of(job, offers, world)
    for best in [one for one in offers if one.name == name]:
        cheaper = priced(offers, name, best.quote.cost_usd * part)

        assert chosen_of(job, cheaper, world) == name


@given(jobs, offer_lists, worlds, st.decimals(0, 3, places=2))
def test_whoever_is_not_chosen_is_not_when_it_gets_dearer(job, offers, world, more):
    name = chosen_of(job, offers, world)
    for other in [one for one in offers if one.name != name]:
        dearer = priced(offers, other.name, other.quote.cost_usd + more)

        assert chosen_of(job, dearer, world) == name


SPEAKERS = dataclasses.replace(JOB, diarized=True).speakers_alone


@pytest.mark.parametrize(
    ("job", "can", "why"),
    [
        (JOB, {"transcription": False}, "it only finds speakers, and does not transcribe"),
        (SPEAKERS, {"diarization": False}, "it does not support diarization"),
        (
            SPEAKERS,
            {"diarizers": frozenset({"pyannote_ai"})},
            "it finds speakers with pyannote_ai, not with light",
        ),
        (SPEAKERS, {"max_audio_bytes": 1}, "bytes exceed its limit of 1"),
        (SPEAKERS, {"models": frozenset({"small"}), "languages": frozenset({"en"})}, ""),
        (SPEAKERS, {"transcription": False}, ""),
    ],
)
def test_words_and_speakers_are_told_apart(job, can, why):
    capabilities = Capabilities(paid=True, third_party=False, **can)

    cause, text = lasting_exclusion(job, "somewhere", capabilities, Permission())

    assert cause == ("capability" if why else "")
    assert why in text
