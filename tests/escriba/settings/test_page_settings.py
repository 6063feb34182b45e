"""What the settings of the pages refuse: by name, and never with the password in it."""

import pytest

from escriba.settings import SettingsError, load_settings

REFUSED = [
    ({"ui_password": "short"}, "UI_PASSWORD: choose one of at least 12"),
    ({"ui_hosts": "https://escriba.example.com"}, "UI_HOSTS: 'https://escriba.example.com'"),
    ({"ui_hosts": "a.example, b.example:3000"}, "UI_HOSTS: 'b.example:3000'"),
    ({"ui_trusted_user_header": "X User"}, "UI_TRUSTED_USER_HEADER: 'X User'"),
    ({"ui_trusted_proxies": "10.0.0.1/8"}, "UI_TRUSTED_PROXIES: '10.0.0.1/8'"),
    ({"ui_trusted_user_header": "X-User"}, "UI_TRUSTED_USER_HEADER needs UI_TRUSTED_PROXIES"),
]


@pytest.mark.parametrize(("values", "said"), REFUSED)
def test_what_cannot_be_is_refused_by_name(values, said):
    with pytest.raises(SettingsError) as refused:
        load_settings(**values)
    assert said in str(refused.value)
    assert "short" not in str(refused.value)


def test_a_login_by_a_proxy_is_accepted():
    settings = load_settings(
        ui_trusted_user_header="X-Forwarded-User", ui_trusted_proxies="127.0.0.1, fd00::/8"
    )
    assert settings.ui_trusted_user_header == "X-Forwarded-User"
