"""The worker refuses by name what no setting has, and its errors show no key."""

import pytest

from gpu_job.common.errors import without_addresses
from gpu_job.common.settings import WorkerSettings

KEY = "gsk_Ab3defGhij7klmnOpqrst"


@pytest.mark.parametrize(
    "name", ["MODEL", "DEVICE", "OPENAI_API_KEY", "CPU_THREADS", "MODEL_CACHE"]
)
@pytest.mark.parametrize("value", ["a\nb", "a\x1bb", "a\udcff"])
def test_a_control_character_or_what_is_no_text_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"^{name}: its value has a line break") as told:
        WorkerSettings.from_environment({name: value})

    assert str(told.value).isprintable()


@pytest.mark.parametrize("name", ["DEVICE", "CPU_THREADS", "PYANNOTE_AI_POLL_SECONDS"])
def test_a_key_in_the_wrong_variable_is_not_shown(name):
    with pytest.raises(ValueError, match=name) as told:
        WorkerSettings.from_environment({name: KEY})

    assert KEY not in str(told.value)


def test_an_error_that_holds_a_key_of_the_worker_shows_its_type_alone():
    WorkerSettings.from_environment({"OPENAI_API_KEY": KEY})

    assert without_addresses(ValueError(f"header {KEY}")) == "ValueError"
    assert without_addresses(ValueError("header")) == "ValueError: header"
