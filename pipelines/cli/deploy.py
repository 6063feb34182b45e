"""`escriba deploy`: make and change what the cloud must have for a backend."""

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from .house import console, json_option, print_json

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from resources.gpu.runpod.control import Control
    from resources.gpu.runpod.deployment import Difference


@click.group()
def command() -> None:
    """Make what a backend needs, or bring it back to what the settings say."""


@command.command()
@click.option("--gpu", help="By its name in the price book; default: RUNPOD_GPU.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def runpod(gpu: str | None, *, yes: bool, as_json: bool) -> None:
    """A serverless endpoint of RunPod: make it, or change what differs.

    Shows what would be changed, then asks; with --json alone nothing is done. The image is
    RUNPOD_IMAGE. A worker costs money only while it has work, unless RUNPOD_WORKERS_MIN is above 0.
    """
    from pipelines.settings import load_settings

    settings = load_settings()
    gpu = gpu or settings.runpod_gpu
    told = asyncio.run(_deploy(settings, gpu, ask=not yes, quiet=as_json))
    if as_json:
        print_json(told)
    else:
        _tell(told)
    sys.exit(1 if told["left"] else 0)


def _tell(told: dict[str, Any]) -> None:
    out = console()
    if told["left"]:
        out.print(
            f"RunPod took the settings of endpoint {told['endpoint']}, and still differs in "
            f"{', '.join(told['left'])}: see its console; what cannot be changed needs a new "
            "endpoint."
        )
    if told["set"]:
        out.print(f"Set in the environment or .env:\n    {told['set']}")


async def _deploy(settings: "Settings", gpu: str, *, ask: bool, quiet: bool) -> dict[str, Any]:
    """What was found and done, as --json tells it."""
    from resources.gpu.runpod.client import Time, open_http
    from resources.gpu.runpod.control import Control
    from resources.gpu.runpod.deployment import differences, wanted_endpoint

    key = _required(settings)
    async with open_http(settings.runpod_control_url, key) as http:
        control = Control(http, key, Time())
        wanted = wanted_endpoint(settings, gpu, await control.gpu_types())
        deployed = await _deployed(control, settings, gpu)
        changes = differences(wanted, deployed or {})
        if not quiet:
            _show(gpu, deployed, changes)
        action, left = "unchanged" if deployed and not changes else "planned", []
        if action == "planned" and _may(ask=ask, quiet=quiet):
            action = "changed" if deployed else "created"
            deployed = await _done(control, wanted, deployed)
            left = [one.setting for one in differences(wanted, deployed)]
    id_ = str(deployed["id"]) if deployed else ""
    return {
        "gpu": gpu,
        "endpoint": id_,
        "action": action,
        "changes": [
            {"setting": one.setting, "deployed": one.deployed, "wanted": one.wanted}
            for one in changes
        ],
        "left": left,
        "set": _to_set(settings, gpu, id_),
    }


def _required(settings: "Settings") -> str:
    """The key; every setting that is missing is named before anything is asked."""
    from pipelines.settings import SettingsError

    key = settings.runpod_api_key.get_secret_value()
    missing = [
        name
        for name, value in (("RUNPOD_API_KEY", key), ("RUNPOD_IMAGE", settings.runpod_image))
        if not value
    ]
    if missing:
        raise SettingsError(
            f"{' and '.join(missing)} must be set: a key that may write endpoints, and the "
            "worker's image in a registry that RunPod can read (docs/worker-image.md)."
        )
    return key


async def _deployed(control: "Control", settings: "Settings", gpu: str) -> dict[str, Any] | None:
    """The endpoint as it is: by its id where one is set, else by its name."""
    from pipelines.settings import SettingsError
    from resources.gpu.runpod.deployment import endpoint_name
    from resources.gpu.runpod.endpoints import endpoints_of

    ids = {endpoint.gpu: endpoint.id for endpoint in endpoints_of(settings)}
    if gpu in ids:
        found = await control.endpoint(ids[gpu])
        if found is None:
            raise SettingsError(
                f"{_setting(settings, gpu)}: RunPod knows no endpoint {ids[gpu]!r}. Correct it, or "
                "empty it to have a new one made."
            )
        return found
    name = endpoint_name(gpu)
    return next((one for one in await control.endpoints() if one.get("name") == name), None)


async def _done(
    control: "Control", wanted: dict[str, Any], deployed: dict[str, Any] | None
) -> dict[str, Any]:
    from resources.gpu.runpod.deployment import change

    if deployed is None:
        return await control.create(wanted)
    return await control.change(str(deployed["id"]), change(wanted, deployed))


def _may(*, ask: bool, quiet: bool) -> bool:
    """Whether to do it: without --yes somebody is asked, and with --json nobody can be."""
    if not ask:
        return True
    return not quiet and click.confirm("Do that?")


def _show(gpu: str, deployed: dict[str, Any] | None, changes: "list[Difference]") -> None:
    from rich.table import Table

    out = console()
    if deployed and not changes:
        out.print(f"The endpoint {deployed['id']} of {gpu} is as the settings say.")
        return
    title = f"Endpoint {deployed['id']} of {gpu}" if deployed else f"A new endpoint of {gpu}"
    table = Table("setting", "deployed", "wanted", title=title)
    for one in changes:
        table.add_row(one.setting, one.deployed, one.wanted)
    out.print(table)


def _setting(settings: "Settings", gpu: str) -> str:
    return "RUNPOD_ENDPOINT_ID" if gpu == settings.runpod_gpu else "RUNPOD_ENDPOINTS"


def _to_set(settings: "Settings", gpu: str, id_: str) -> str:
    """The line for .env; empty where it is set already, or there is nothing to set."""
    from resources.gpu.runpod.endpoints import endpoints_of

    known = {endpoint.gpu: endpoint.id for endpoint in endpoints_of(settings)}
    if not id_ or known.get(gpu) == id_:
        return ""
    if gpu == settings.runpod_gpu:
        return f"RUNPOD_ENDPOINT_ID={id_}"
    others = {name: one for name, one in known.items() if name != settings.runpod_gpu}
    pairs = ",".join(f"{name}={one}" for name, one in (others | {gpu: id_}).items())
    return f"RUNPOD_ENDPOINTS={pairs}"
