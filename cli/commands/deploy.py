"""`escriba deploy`: create and update a backend's cloud resources."""

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from cli.cli_context import console, json_option, print_json
from cli.deploy_terraform.command import aws, gcp

if TYPE_CHECKING:
    from escriba.settings import Settings
    from resources.gpu.runpod.control import Control
    from resources.gpu.runpod.deployment import Difference


@click.group()
def command() -> None:
    """Create or update a backend's cloud resources so that they match the settings."""


command.add_command(aws)
command.add_command(gcp)


@command.command(short_help="Create or update a RunPod endpoint")
@click.option("--gpu", help="GPU by its name in the price book. Default: RUNPOD_GPU.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def runpod(gpu: str | None, *, yes: bool, as_json: bool) -> None:
    """Create a RunPod serverless endpoint, or change its settings that differ.

    Shows the changes and asks for confirmation; --json without --yes changes nothing. The image
    is RUNPOD_IMAGE. A worker costs money only while it works, unless RUNPOD_WORKERS_MIN is above
    0.
    """
    from escriba.settings import load_settings

    settings = load_settings()
    gpu = gpu or settings.runpod_gpu
    result = asyncio.run(_deploy(settings, gpu, ask=not yes, quiet=as_json))
    if as_json:
        print_json(result)
    else:
        _report(result)
    sys.exit(1 if result["left"] else 0)


def _report(result: dict[str, Any]) -> None:
    out = console()
    if result["left"]:
        out.print(
            f"RunPod accepted the settings of endpoint {result['endpoint']}, but "
            f"{', '.join(result['left'])} still differ. Change them in RunPod's console, or "
            "create a new endpoint."
        )
    if result["set"]:
        out.print(f"Set in the environment or .env:\n    {result['set']}")


async def _deploy(settings: "Settings", gpu: str, *, ask: bool, quiet: bool) -> dict[str, Any]:
    """Return what was found and done, as --json prints it."""
    from resources.gpu.runpod.client import Time, open_http
    from resources.gpu.runpod.control import Control
    from resources.gpu.runpod.deployment import differences, wanted_endpoint

    key = _api_key(settings)
    async with open_http(settings.runpod_control_url, key) as http:
        control = Control(http, key, Time())
        wanted = wanted_endpoint(settings, gpu, await control.gpu_types())
        deployed = await _deployed(control, settings, gpu)
        changes = differences(wanted, deployed or {})
        if not quiet:
            _show(gpu, deployed, changes)
        action, left = "unchanged" if deployed and not changes else "planned", []
        if action == "planned" and _is_confirmed(ask=ask, quiet=quiet):
            action = "changed" if deployed else "created"
            deployed = await _apply(control, wanted, deployed)
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
        "set": _env_line(settings, gpu, id_),
    }


def _api_key(settings: "Settings") -> str:
    """Return the API key.

    Raises:
        SettingsError: names every required setting that is missing.
    """
    from escriba.settings import SettingsError

    key = settings.runpod_api_key.get_secret_value()
    missing = [
        name
        for name, value in (("RUNPOD_API_KEY", key), ("RUNPOD_IMAGE", settings.runpod_image))
        if not value
    ]
    if missing:
        raise SettingsError(
            f"Set {' and '.join(missing)}: an API key with write access to endpoints, and the "
            "worker's image in a registry that RunPod can read (docs/worker-image.md)."
        )
    return key


async def _deployed(control: "Control", settings: "Settings", gpu: str) -> dict[str, Any] | None:
    """Return the deployed endpoint, found by its configured id or else by its name."""
    from escriba.settings import SettingsError
    from resources.gpu.runpod.deployment import endpoint_name
    from resources.gpu.runpod.endpoints import endpoints_of

    ids = {endpoint.gpu: endpoint.id for endpoint in endpoints_of(settings)}
    if gpu in ids:
        found = await control.endpoint(ids[gpu])
        if found is None:
            raise SettingsError(
                f"{_setting(settings, gpu)}: RunPod has no endpoint {ids[gpu]!r}. Correct the id, "
                "or remove it to create a new endpoint."
            )
        return found
    name = endpoint_name(gpu)
    return next((one for one in await control.endpoints() if one.get("name") == name), None)


async def _apply(
    control: "Control", wanted: dict[str, Any], deployed: dict[str, Any] | None
) -> dict[str, Any]:
    from resources.gpu.runpod.deployment import change

    if deployed is None:
        return await control.create(wanted)
    return await control.change(str(deployed["id"]), change(wanted, deployed))


def _is_confirmed(*, ask: bool, quiet: bool) -> bool:
    """Return whether to apply the changes: asks unless --yes; --json alone never applies them."""
    if not ask:
        return True
    return not quiet and click.confirm("Apply these changes?")


def _show(gpu: str, deployed: dict[str, Any] | None, changes: "list[Difference]") -> None:
    from rich.table import Table

    out = console()
    if deployed and not changes:
        out.print(f"Endpoint {deployed['id']} with {gpu} matches the settings.")
        return
    title = f"Endpoint {deployed['id']} with {gpu}" if deployed else f"New endpoint with {gpu}"
    table = Table("setting", "deployed", "wanted", title=title)
    for one in changes:
        table.add_row(one.setting, one.deployed, one.wanted)
    out.print(table)


def _setting(settings: "Settings", gpu: str) -> str:
    return "RUNPOD_ENDPOINT_ID" if gpu == settings.runpod_gpu else "RUNPOD_ENDPOINTS"


def _env_line(settings: "Settings", gpu: str, id_: str) -> str:
    """Return the line to add to .env; empty if it is already set or there is no endpoint."""
    from resources.gpu.runpod.endpoints import endpoints_of

    known = {endpoint.gpu: endpoint.id for endpoint in endpoints_of(settings)}
    if not id_ or known.get(gpu) == id_:
        return ""
    if gpu == settings.runpod_gpu:
        return f"RUNPOD_ENDPOINT_ID={id_}"
    others = {name: one for name, one in known.items() if name != settings.runpod_gpu}
    pairs = ",".join(f"{name}={one}" for name, one in (others | {gpu: id_}).items())
    return f"RUNPOD_ENDPOINTS={pairs}"
