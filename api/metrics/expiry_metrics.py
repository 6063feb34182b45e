"""What ends one day: certificates, credentials and API models; and the age of the last backup."""

import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from urllib.parse import urlsplit

from cryptography import x509
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from escriba.settings import Settings
from resources.backups.newest_backup import newest_backup
from resources.gpu.backends.openai import preset_in
from resources.storage.base import Storage

_LOOK_AGAIN_SECONDS = 3_600.0
_PATIENCE_SECONDS = 5


class ExpiryMetrics:
    """When things end; looks once an hour, since servers are asked for their certificates."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._looked_at: float | None = None
        self._ends: dict[tuple[str, str], float] = {}

    def read(self) -> Iterator[Metric]:
        """Every known end. One of a server that does not answer stays as it was.

        Raises:
            OSError, ValueError: STORAGE_CA_FILE cannot be read.
        """
        now = self._clock()
        if self._looked_at is None or now - self._looked_at > _LOOK_AGAIN_SECONDS:
            self._ends |= ends_of(self._settings)
            self._looked_at = now
        found = GaugeMetricFamily(
            "escriba_expiry_timestamp_seconds",
            "When a certificate, a credential or an API model ends.",
            labels=["kind", "name"],
        )
        for labels, moment in self._ends.items():
            found.add_metric(labels, moment)
        yield found


def ends_of(settings: Settings) -> dict[tuple[str, str], float]:
    """When things end, in Unix time, by kind and name."""
    found = {("credential", name): _start_of(day) for name, day in settings.credential_ends.items()}
    if settings.openai_model and (ends_on := preset_in(settings).ends_on):
        found["model", settings.openai_model] = _start_of(ends_on)
    if settings.storage_ca_file:
        pem = settings.storage_ca_file.read_bytes()
        found["certificate", "STORAGE_CA_FILE"] = min(
            map(_end, x509.load_pem_x509_certificates(pem))
        )
    for name in ("files_url", "aws_endpoint_url"):
        if moment := _end_of_server(getattr(settings, name)):
            found["certificate", name.upper()] = moment
    return found


def _end_of_server(url: str) -> float | None:
    """When the certificate of an HTTPS server ends; None if it does not answer."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    try:
        pem = ssl.get_server_certificate(
            (parts.hostname, parts.port or 443), timeout=_PATIENCE_SECONDS
        )
    except OSError:
        return None
    return _end(x509.load_pem_x509_certificate(pem.encode()))


def _end(certificate: x509.Certificate) -> float:
    return certificate.not_valid_after_utc.timestamp()


def _start_of(day: date) -> float:
    return datetime.combine(day, time_of_day(), UTC).timestamp()


def backup_metrics(storage: Storage) -> Iterator[Metric]:
    """When the newest backup was made that a restore has checked.

    Raises:
        StorageError: the bucket cannot be read.
    """
    newest = newest_backup(storage)
    yield GaugeMetricFamily(
        "escriba_backup_last_success_timestamp_seconds",
        "When the newest backup was made, in Unix time; 0: there is none.",
        value=newest.timestamp() if newest else 0.0,
    )
