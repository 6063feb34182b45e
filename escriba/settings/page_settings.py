from ipaddress import ip_network

from pydantic import Field, SecretStr, field_validator, model_validator

from .base import SettingsGroup
from .field_types import check_length, comma_separated

_SHORTEST_PASSWORD = 12
_HEADER_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
_HOST_SIGNS = _HEADER_SIGNS | {"."}


class PageSettings(SettingsGroup):
    """Who may open the pages of `escriba up`, and under which names."""

    ui_hosts: str = Field(
        "",
        description="Comma-separated host names under which browsers open the pages, such as "
        "escriba.example.com. localhost and IP addresses always work.",
    )
    ui_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the pages, of at least 12 characters. Empty: no login.",
    )
    ui_trusted_user_header: str = Field(
        "",
        description="Header in which a proxy that logs people in names the user, such as "
        "X-Forwarded-User. Requests without it need the password, or are refused if there is "
        "none.",
    )
    ui_trusted_proxies: str = Field(
        "",
        description="Comma-separated addresses or networks of your proxies, such as 10.0.0.0/8. "
        "Only they may send that header; wrong passwords count for the address that they add to "
        "X-Forwarded-For.",
    )
    ui_without_login: bool = Field(
        default=False,
        description="Let `escriba up --host` listen without a login on an address that other "
        "machines can reach. Whoever reaches it can launch runs and read transcripts.",
    )

    @field_validator("ui_hosts")
    @classmethod
    def _check_hosts(cls, text: str) -> str:
        for name in comma_separated(text):
            if not set(name) <= _HOST_SIGNS:
                raise ValueError(f"{name!r} is not a host name: write it without scheme and port")
        return text

    @field_validator("ui_password")
    @classmethod
    def _check_password(cls, password: SecretStr) -> SecretStr:
        return check_length(password, _SHORTEST_PASSWORD)

    @field_validator("ui_trusted_user_header")
    @classmethod
    def _check_header(cls, name: str) -> str:
        if not set(name) <= _HEADER_SIGNS:
            raise ValueError(f"{name!r} is not the name of a header such as X-Forwarded-User")
        return name

    @field_validator("ui_trusted_proxies")
    @classmethod
    def _check_proxies(cls, text: str) -> str:
        for one in comma_separated(text):
            try:
                ip_network(one)
            except ValueError:
                raise ValueError(
                    f"{one!r} is not an address or a network such as 10.0.0.0/8"
                ) from None
        return text

    @model_validator(mode="after")
    def _check_pair(self) -> "PageSettings":
        if self.ui_trusted_user_header and not comma_separated(self.ui_trusted_proxies):
            raise ValueError(
                "UI_TRUSTED_USER_HEADER needs UI_TRUSTED_PROXIES: who may send that header"
            )
        return self
