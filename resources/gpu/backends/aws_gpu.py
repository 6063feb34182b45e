"""The aws_gpu backend: queues of AWS Batch on EC2 spot, one for each machine type with one GPU."""

from escriba.backend_names import AWS_GPU
from escriba.billing.measured_speeds import planned_start_seconds
from escriba.billing.quotes import Capabilities
from escriba.settings import Settings
from resources.gpu.aws.client import BatchClient
from resources.gpu.aws.provider import AwsBatchProvider
from resources.gpu.aws.queues import Queue, queues_of
from resources.gpu.backend import Backend
from resources.gpu.batch_machines.backend import BatchMachinesBackend
from resources.gpu.batch_machines.gather_rules import rules_of
from resources.gpu.batch_machines.time_sources import REAL_TIME, Time
from resources.gpu.model_choice import model_of
from resources.storage import open_storage

NEEDS = "AWS_BATCH_QUEUES and AWS_BATCH_JOB_DEFINITION"
# assumed, not measured: AWS Batch ends a machine without jobs some minutes after its last one
IDLE_SECONDS = 300.0


def is_set_up(settings: Settings) -> bool:
    """Whether a queue is set."""
    return bool(settings.aws_batch_queues.strip(" ,"))


def open_backends(settings: Settings, time_: Time = REAL_TIME) -> list[Backend]:
    """One backend for each queue in the settings; makes no request.

    Raises:
        SettingsError: AWS_BATCH_QUEUES cannot be read, or the job definition is missing.
    """
    queues = queues_of(settings)
    client = BatchClient(settings, time_)
    return [_backend(settings, queue, client) for queue in queues]


def _backend(settings: Settings, queue: Queue, client: BatchClient) -> Backend:
    capabilities = Capabilities(
        paid=True,
        third_party=False,  # the machines and the bucket are in the user's own account
        models=frozenset({model_of(settings)}),
        regions=frozenset({settings.aws_region}),
        idle_seconds=IDLE_SECONDS,
    )
    return BatchMachinesBackend(
        AWS_GPU,
        queue.machine.name,
        capabilities,
        AwsBatchProvider(client, queue.name, settings.aws_batch_job_definition),
        open_storage(settings),
        rules_of(settings, planned_start_seconds(AWS_GPU)),
        client.time,
    )
