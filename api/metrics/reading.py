"""What one scrape shows: the metrics of each source, and whether reading it worked."""

import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from escriba.known_secrets import masked
from escriba.text_for.plain_lines import log_line
from resources.storage.base import StorageError

_LOG = logging.getLogger("escriba")
Source = Callable[[], Iterable[Metric]]


@dataclass
class Sources:
    """The sources by name; one that fails is missing in a scrape, and hides no other.

    places: folders with names, for their disks' free space.
    """

    sources: Mapping[str, Source]
    places: Mapping[str, Path]
    bucket_failures: int = 0

    def collect(self) -> Iterator[Metric]:
        """All metrics at this moment."""
        up = GaugeMetricFamily(
            "escriba_source_up", "Whether the last reading of a source worked.", labels=["source"]
        )
        for name, source in self.sources.items():
            metrics = self._read(name, source)
            up.add_metric([name], float(metrics is not None))
            yield from metrics or ()
        yield up
        yield CounterMetricFamily(
            "escriba_bucket_failures",
            "Readings of the bucket that failed since the exporter started.",
            value=self.bucket_failures,
        )
        yield disks(self.places)

    def _read(self, name: str, source: Source) -> list[Metric] | None:
        try:
            return list(source())
        except Exception as error:  # noqa: BLE001  # a scrape shows the other sources
            self.bucket_failures += isinstance(error, StorageError)
            _LOG.warning("The metrics of %s are missing: %s", name, log_line(masked(str(error))))
            return None


def disks(places: Mapping[str, Path]) -> Metric:
    """The free part of each place's disk, as other users than root see it."""
    found = GaugeMetricFamily(
        "escriba_disk_free_ratio", "Free part of the disk of a place.", labels=["place"]
    )
    for name, path in places.items():
        if path.exists():
            usage = shutil.disk_usage(path)
            found.add_metric([name], usage.free / (usage.used + usage.free))
    return found
