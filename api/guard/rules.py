"""What the settings say about access to the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from escriba.settings import Settings
from escriba.settings.field_types import comma_separated

from .asked import Asked
from .logins import Logins, login_key


@dataclass(frozen=True)
class GuardRules:
    """hosts: names besides localhost and addresses. user_header: set by a proxy that logs in."""

    hosts: frozenset[str] = frozenset()
    logins: Logins | None = None
    user_header: str = ""
    proxies: Sequence[IPv4Network | IPv6Network] = ()

    @property
    def needs_login(self) -> bool:
        """Whether nobody gets in without a login."""
        return self.logins is not None or bool(self.user_header)

    def is_proxy(self, peer: str) -> bool:
        """Whether a connection comes from a proxy whose user header is believed."""
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self.proxies)

    def client_of(self, asked: Asked) -> str:
        """The address that guesses count for: as a trusted proxy names it, else the connection's.

        A client can write the header too, but a proxy adds the address that it sees at the end.
        """
        named = asked.header("x-forwarded-for").rpartition(",")[2].strip()
        return named if named and self.is_proxy(asked.peer) else asked.peer


def rules_of(settings: Settings) -> GuardRules:
    """Return the rules.

    Raises:
        OSError: the key that signs logins cannot be kept in DAGSTER_HOME.
    """
    password, logins = settings.ui_password.get_secret_value(), None
    if password:
        logins = Logins(password, login_key(settings.dagster_home / "login.key"))
    return GuardRules(
        hosts=frozenset(name.lower() for name in comma_separated(settings.ui_hosts)),
        logins=logins,
        user_header=settings.ui_trusted_user_header,
        proxies=[ip_network(one) for one in comma_separated(settings.ui_trusted_proxies)],
    )
