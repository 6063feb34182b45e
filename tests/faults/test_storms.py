"""Many concurrent failures: in the end everything is done, paid once, recorded, and cleaned up."""

import pytest

from .storms import storm


@pytest.mark.parametrize("seed", range(60))
def test_no_storm_loses_a_recording_or_pays_for_one_twice(zygote, seed):
    found = storm(zygote, seed)

    assert found.results == 2
