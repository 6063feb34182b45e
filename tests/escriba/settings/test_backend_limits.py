"""BACKEND_DAILY_LIMITS: what it takes, and what it says of the rest."""

from decimal import Decimal

import pytest

from escriba.settings import SettingsError, load_settings


def test_each_backend_has_its_amount_and_by_default_there_is_none():
    assert load_settings().backend_limits_usd == {}
    assert load_settings(backend_daily_limits=" runpod = 20.5 , local=0 ").backend_limits_usd == {
        "runpod": Decimal("20.5"),
        "local": Decimal(0),
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("runpod", "'runpod' has no amount in USD"),
        ("runpod=-1", "'runpod=-1' has no amount in USD"),
        ("runpod=much", "'runpod=much' has no amount in USD"),
        ("runpods=20", "no backend 'runpods'; it has local, runpod"),
        ("runpod=20,runpod=30", "runpod has two limits"),
    ],
)
def test_what_cannot_be_read_is_named(text, why):
    with pytest.raises(SettingsError, match=f"BACKEND_DAILY_LIMITS: .*{why}"):
        load_settings(backend_daily_limits=text)
