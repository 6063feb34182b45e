"""Checks of the aws_gpu backend: AWS Batch, its machines, and what they can reach."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from escriba.settings import Settings, SettingsError

from .finding import Finding

if TYPE_CHECKING:
    from escriba.billing.quotes import Health
    from resources.gpu.aws.health import QueueFacts
    from resources.gpu.aws.queues import Queue

_WHAT = "AWS"
_DEPLOY = "Run `escriba deploy aws` to review and apply the changes."


def aws(settings: Settings) -> Iterator[Finding]:
    """Check credentials, queues, machines and job definition; nothing without AWS_BATCH_QUEUES."""
    if not settings.aws_batch_queues.strip():
        return
    from resources.gpu.aws.queues import queues_of

    try:
        queues = queues_of(settings)
    except SettingsError as error:
        yield Finding(what=_WHAT, state="broken", found=str(error))
        return
    if urlsplit(settings.bucket_url).scheme == "file":
        found = f"AWS's machines cannot reach the bucket: it is a folder ({settings.bucket_url})"
        advice = "Set STORAGE_URL to a bucket: s3://, gs:// or az:// (docs/storage.md)."
        yield Finding(what=_WHAT, state="broken", found=found, advice=advice)
    for queue in queues:
        yield from _queue(settings, queue)


def _queue(settings: Settings, queue: "Queue") -> Iterator[Finding]:
    from resources.gpu.aws.answers import NoAnswerError, RefusedError, refusal

    try:
        health, facts, definition = asyncio.run(_read(settings, queue))
    except NoAnswerError as error:
        found = f"AWS Batch does not answer ({error.what})"
        advice = "Check the network and AWS_REGION."
        yield Finding(what=_WHAT, state="broken", found=found, advice=advice)
        return
    except RefusedError as refused:
        found = refusal(refused, settings.aws_region)
        yield Finding(what=_WHAT, state="broken", found=found)
        return
    yield _health(queue, health)
    if definition is None:
        found = f"AWS Batch has no active job definition {settings.aws_batch_job_definition}"
        advice = "Correct AWS_BATCH_JOB_DEFINITION, or run `escriba deploy aws`."
        yield Finding(what=_WHAT, state="broken", found=found, advice=advice)
    yield from _faults(settings, queue, facts, definition)


async def _read(
    settings: Settings, queue: "Queue"
) -> "tuple[Health, QueueFacts, Mapping[str, Any] | None]":
    """The health of a queue, the facts behind it, and the newest job definition."""
    from resources.gpu.aws.client import BatchClient
    from resources.gpu.aws.health import read_facts, verdict
    from resources.gpu.batch_machines.time_sources import REAL_TIME

    client = BatchClient(settings, REAL_TIME)
    try:
        facts = await read_facts(client, queue.name)
        name, colon, _ = settings.aws_batch_job_definition.partition(":")
        request: dict[str, Any] = {"jobDefinitions": [settings.aws_batch_job_definition]}
        if not colon:
            request = {"jobDefinitionName": name, "status": "ACTIVE"}
        answer = await client.call("describe_job_definitions", **request)
    finally:
        await client.close()
    definitions = answer["jobDefinitions"]
    newest = max(definitions, key=lambda one: one.get("revision") or 0, default=None)
    return verdict(facts), facts, newest


def _health(queue: "Queue", health: "Health") -> Finding:
    state = {"well": "well", "degraded": "odd", "down": "broken"}[health.state]
    found = f"queue {queue.name} ({queue.machine.name}): {health.reason or 'accepts jobs'}"
    advice = "" if state == "well" else "See its jobs and machines in the console of AWS Batch."
    return Finding.model_validate({"what": _WHAT, "state": state, "found": found, "advice": advice})


def _faults(
    settings: Settings,
    queue: "Queue",
    facts: "QueueFacts",
    definition: "Mapping[str, Any] | None",
) -> Iterator[Finding]:
    from resources.gpu.aws.set_up_faults import definition_faults, environment_faults

    faults = [
        fault for one in facts.environments for fault in environment_faults(one, queue.machine)
    ]
    if definition is not None:
        faults += definition_faults(definition, queue.machine)
    for fault in faults:
        yield Finding(what=_WHAT, state="odd", found=fault, advice=_DEPLOY)
    if not faults:
        found = f"queue {queue.name}: machines and job definition are as Escriba needs them"
        yield Finding(what=_WHAT, state="well", found=found)
    yield from _ec2(settings, queue, facts)


def _ec2(settings: Settings, queue: "Queue", facts: "QueueFacts") -> Iterator[Finding]:
    from resources.gpu.aws.answers import NoAnswerError, RefusedError
    from resources.gpu.aws.ec2 import Ec2

    try:
        ec2 = Ec2(settings)
        yield _zones(settings, queue, ec2.zones_with(queue.machine.name))
        for environment in facts.environments:
            template = (environment.get("computeResources") or {}).get("launchTemplate") or {}
            if template:
                yield from _metadata(environment, ec2.metadata_options(template))
    except (NoAnswerError, RefusedError) as error:
        found = f"EC2 could not be asked for zones and launch templates ({error})"
        advice = (
            "Grant ec2:DescribeInstanceTypeOfferings and ec2:DescribeLaunchTemplateVersions to see "
            "these checks. Jobs run without them."
        )
        yield Finding(what=_WHAT, state="odd", found=found, advice=advice)


def _zones(settings: Settings, queue: "Queue", zones: list[str]) -> Finding:
    machine = queue.machine
    name = f"{machine.name} ({machine.gpu})"
    if not zones:
        found = f"{settings.aws_region} offers no {name}"
        advice = "Choose another machine type in AWS_BATCH_QUEUES, or another AWS_REGION."
        return Finding(what=_WHAT, state="broken", found=found, advice=advice)
    found = f"{name} is offered in {', '.join(zones)}"
    if len(zones) > 1:
        return Finding(what=_WHAT, state="well", found=found)
    advice = "One zone often runs out of spot capacity: set another machine type beside it."
    return Finding(what=_WHAT, state="odd", found=f"{found} only", advice=advice)


def _metadata(environment: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[Finding]:
    from resources.gpu.aws.set_up_faults import metadata_faults

    for fault in metadata_faults(environment, options):
        yield Finding(what=_WHAT, state="odd", found=fault, advice=_DEPLOY)
