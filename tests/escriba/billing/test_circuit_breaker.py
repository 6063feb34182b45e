"""A circuit: when it opens, for how long, and that exactly one job finds out whether to close."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escriba.billing.circuit_breaker import CircuitBreaker


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def circuit(clock):
    """One whose cool-downs are not shortened."""
    return CircuitBreaker(clock, lambda: 0.0)


def fail(circuit, times=3, reason="HTTP 500"):
    for _ in range(times):
        circuit.failed(reason, lasting=False)


def cool(circuit, clock):
    clock.seconds += circuit.seconds_until_probe()


def test_a_new_circuit_lets_everything_through(circuit):
    assert circuit.state.state == "well"
    assert circuit.seconds_until_probe() == 0
    assert all(circuit.may_try() for _ in range(5))


def test_three_failures_in_a_row_open_it(circuit):
    fail(circuit, 2)
    assert circuit.may_try()

    fail(circuit, 1)

    assert not circuit.may_try()
    assert circuit.state.state == "down"
    assert circuit.state.reason == "circuit open for 30 s after: HTTP 500"
    assert not circuit.state.lasting


def test_a_success_between_failures_forgets_them(circuit):
    fail(circuit, 2)
    circuit.succeeded()
    fail(circuit, 2)

    assert circuit.may_try()


def test_a_lasting_failure_opens_it_at_once_and_is_said_to_last(circuit):
    circuit.failed("the key is refused", lasting=True)

    assert (circuit.state.state, circuit.state.lasting) == ("down", True)


def test_after_its_cool_down_exactly_one_job_may_try(circuit, clock):
    fail(circuit)
    clock.seconds += 29.5
    assert not circuit.may_try()
    assert circuit.state.state == "down"
    clock.seconds += 0.5

    assert (circuit.state.state, circuit.state.probe) == ("degraded", True)
    assert [circuit.may_try() for _ in range(4)] == [True, False, False, False]
    assert (circuit.state.state, circuit.state.probe) == ("degraded", False)
    assert circuit.seconds_until_probe() > 0  # whoever waits for it does not spin


def test_a_probe_that_succeeds_closes_it(circuit, clock):
    fail(circuit)
    cool(circuit, clock)
    circuit.may_try()

    circuit.succeeded()

    assert circuit.state.state == "well"
    fail(circuit)
    assert circuit.seconds_until_probe() == 30  # the earlier opening is forgotten


def test_each_probe_that_fails_doubles_the_cool_down_up_to_ten_minutes(circuit, clock):
    fail(circuit)
    waited = [circuit.seconds_until_probe()]
    for _ in range(6):
        cool(circuit, clock)
        assert circuit.may_try()
        circuit.failed("HTTP 503", lasting=False)
        waited.append(circuit.seconds_until_probe())

    assert waited == [30, 60, 120, 240, 480, 600, 600]
    assert circuit.state.reason == "circuit open for 600 s after: HTTP 503"


def test_a_probe_that_never_reports_does_not_block_for_ever(circuit, clock):
    fail(circuit)
    cool(circuit, clock)
    assert circuit.may_try()

    circuit.abandoned()

    assert circuit.may_try()
    assert not circuit.may_try()


def test_news_of_jobs_from_before_do_not_lengthen_a_cool_down(circuit, clock):
    fail(circuit)
    clock.seconds += 10
    fail(circuit, 5)
    assert circuit.seconds_until_probe() == 20

    clock.seconds += 20
    fail(circuit, 5)
    assert circuit.may_try()


@given(st.floats(0, 1), st.integers(1, 20))
def test_jitter_shortens_a_cool_down_by_a_quarter_at_most(jitter, openings):
    clock = Clock()
    circuit = CircuitBreaker(clock, lambda: jitter)
    for n in range(openings):
        circuit.may_try()
        circuit.failed("refused", lasting=True)
        whole = min(600, 30 * 2**n)
        assert whole * 0.75 - 1e-6 <= circuit.seconds_until_probe() <= whole + 1e-6
        clock.seconds += whole


@given(st.lists(st.sampled_from(["try", "fail", "last", "succeed", "abandon", "wait"])))
def test_whatever_happens_it_can_be_tried_again_within_ten_minutes(events):
    clock = Clock()
    circuit = CircuitBreaker(clock, lambda: 0.0)
    acts = {
        "try": circuit.may_try,
        "fail": lambda: circuit.failed("a", lasting=False),
        "last": lambda: circuit.failed("a", lasting=True),
        "succeed": circuit.succeeded,
        "abandon": circuit.abandoned,
        "wait": lambda: cool(circuit, clock),
    }
    for event in events:
        acts[event]()

    circuit.abandoned()
    clock.seconds += 600

    assert circuit.may_try()
