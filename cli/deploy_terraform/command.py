"""The options and the output of `escriba deploy aws` and `escriba deploy gcp`."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from cli.cli_context import console, json_option, print_json, say

if TYPE_CHECKING:
    from cli.deploy_terraform.cloud import Cloud
    from cli.deploy_terraform.deployment import Wish
    from resources.terraform.plan import PlannedChange


def _options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of every cloud that Terraform deploys to."""
    function = json_option(function)
    function = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")(function)
    function = click.option(
        "--remove", is_flag=True, help="Remove everything that was deployed instead."
    )(function)
    return click.option(
        "--var",
        "given",
        multiple=True,
        metavar="NAME=VALUE",
        help="Variable of deploy/terraform, kept for later calls. May be repeated.",
    )(function)


@click.command(short_help="Create or update queues, bucket, roles and registry at AWS")
@_options
def aws(given: tuple[str, ...], *, remove: bool, yes: bool, as_json: bool) -> None:
    """Create or update what aws_gpu needs at AWS, with Terraform.

    Shows the plan and asks for confirmation; --json without --yes changes nothing. Machines cost
    money only while jobs run; docs/deploy.md says what else costs something.
    """
    from cli.deploy_terraform.cloud import AWS
    from cli.deploy_terraform.deployment import Wish

    _run(AWS, Wish(given, remove), ask=not yes, as_json=as_json)


@click.command(short_help="Create or update accounts, bucket and registry at Google Cloud")
@_options
def gcp(given: tuple[str, ...], *, remove: bool, yes: bool, as_json: bool) -> None:
    """Create or update what gcp_gpu needs at Google Cloud, with Terraform.

    Shows the plan and asks for confirmation; --json without --yes changes nothing. Machines cost
    money only while jobs run; docs/deploy.md says what else costs something.
    """
    from cli.deploy_terraform.cloud import GCP
    from cli.deploy_terraform.deployment import Wish

    _run(GCP, Wish(given, remove), ask=not yes, as_json=as_json)


def _run(cloud: "Cloud", wish: "Wish", *, ask: bool, as_json: bool) -> None:
    """Deploy to a cloud, or remove; exit status 2 if Terraform is missing or failed."""
    from cli.deploy_terraform.deployment import deploy
    from escriba.settings import load_settings
    from resources.terraform.terraform_command import TerraformError

    def agree(changes: "list[PlannedChange]") -> bool:
        if not as_json:
            _show(changes, cloud.title, removes=wish.remove)
        return not ask or (not as_json and click.confirm(_question(wish)))

    def tell(line: str) -> None:
        if not as_json:
            console().print(f"  {line}")

    try:
        result = deploy(load_settings(), cloud, wish, agree=agree, tell=tell)
    except TerraformError as error:
        say(f"escriba: {error}")
        sys.exit(2)
    if as_json:
        print_json(result)
    else:
        _report(result)


def _question(wish: "Wish") -> str:
    return "Remove all of this?" if wish.remove else "Apply these changes?"


def _show(changes: "list[PlannedChange]", title: str, *, removes: bool) -> None:
    from rich.table import Table

    heading = f"To remove from {title}" if removes else f"To make at {title}"
    table = Table("action", "resource", "name", "what changes", title=heading)
    for one in changes:
        table.add_row(one.action, one.resource, one.name, ", ".join(one.attributes))
    console().print(table)


def _report(result: dict[str, Any]) -> None:
    out = console()
    out.print(_SAID[result["action"]])
    out.print(f"State and variables: {result['folder']}. Keep it, and keep it to yourself.")
    if result["set"]:
        out.print("Set in the environment or .env:")
        for name, value in result["set"].items():
            out.print(f"    {name}={value}")
    for name, value in result["outputs"].items():
        if value:
            out.print(f"{name}: {value}")


_SAID = {
    "planned": "Nothing was changed.",
    "unchanged": "What is deployed matches the settings.",
    "applied": "Deployed.",
    "removed": "Removed. Delete the settings that this deployment had printed.",
}
