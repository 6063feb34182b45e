"""The gcp_gpu backend: spot GPUs of GCP Batch, one backend for each machine type."""

from escriba.backend_names import GCP_GPU
from escriba.billing.measured_speeds import planned_start_seconds
from escriba.billing.quotes import Capabilities
from escriba.settings import Settings
from resources.gpu.backend import Backend
from resources.gpu.batch_machines.backend import BatchMachinesBackend
from resources.gpu.batch_machines.gather_rules import rules_of
from resources.gpu.batch_machines.time_sources import REAL_TIME, Time
from resources.gpu.gcp.access_token import access_token
from resources.gpu.gcp.batch_options import BatchOptions, batch_options
from resources.gpu.gcp.provider import GcpMachines
from resources.gpu.model_choice import model_of
from resources.storage import open_storage

NEEDS = "GCP_PROJECT, GCP_BATCH_MACHINES and GCP_BATCH_IMAGE"
# assumed, not measured: how long Batch takes to delete the machine of a job that has ended
IDLE_SECONDS = 60.0


def is_set_up(settings: Settings) -> bool:
    """Whether a machine type is set."""
    return bool(settings.gcp_batch_machines)


def open_backends(settings: Settings, time_: Time = REAL_TIME) -> list[Backend]:
    """One backend for each machine type in the settings; makes no request.

    Raises:
        SettingsError: a setting is missing or cannot be read.
    """
    return [_backend(settings, options, time_) for options in batch_options(settings)]


def _backend(settings: Settings, options: BatchOptions, time_: Time) -> Backend:
    capabilities = Capabilities(
        paid=True,
        models=frozenset({model_of(settings)}),
        third_party=False,  # the user's own project
        regions=frozenset(options.regions),
        idle_seconds=IDLE_SECONDS,
    )
    provider = GcpMachines(options, settings.gcp_batch_url, access_token(settings), time_)
    rules = rules_of(settings, planned_start_seconds(GCP_GPU))
    return BatchMachinesBackend(
        GCP_GPU, options.sku, capabilities, provider, open_storage(settings), rules, time_
    )
