"""The options of obstore's HTTP client that all clouds share."""

from typing import Any

from escriba.settings import Settings

from .link_patience import Patience
from .own_certificate import own_certificate


def client_options(endpoint: str, settings: Settings, patience: Patience) -> dict[str, Any]:
    """The obstore options of the client: limits, TLS, and http:// for one on loopback."""
    options: dict[str, Any] = patience.client_options
    if endpoint.startswith("http://"):
        options["allow_http"] = True
    certificate = own_certificate(settings)
    if certificate:
        options["root_certificate"] = certificate
    return {"client_options": options, "retry_config": patience.retry_config}
