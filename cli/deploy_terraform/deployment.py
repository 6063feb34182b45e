"""One `escriba deploy aws` or `gcp`: plan, show, ask, apply."""

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.deploy_terraform.cloud import Cloud
from resources.terraform.plan import PlannedChange, planned_changes
from resources.terraform.terraform_command import Terraform, find_terraform
from resources.terraform.working_folder import keep, own_variables, prepare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from escriba.settings import Settings

_PLAN: Final = "escriba.tfplan"
_GIVEN: Final = "given.tfvars.json"


@dataclass(frozen=True)
class Wish:
    """What the command line asks for. given: variables as NAME=VALUE. remove: everything goes."""

    given: tuple[str, ...] = ()
    remove: bool = False


def deploy(
    settings: "Settings",
    cloud: Cloud,
    wish: Wish,
    *,
    agree: Callable[[list[PlannedChange]], bool],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Plan, and apply what `agree` agrees to; returns what --json prints.

    Raises:
        TerraformError: Terraform is missing or failed.
        SettingsError: a setting or --var is missing or wrong.
    """
    terraform = _opened(settings, cloud)
    if url := terraform.environment.get("AWS_ENDPOINT_URL"):
        tell(f"AWS_ENDPOINT_URL is set: everything is at {url}, not at AWS.")
    values = own_variables(terraform.folder, wish.given)
    with _planned(terraform, values, remove=wish.remove) as changes:
        action = "planned" if changes else "unchanged"
        if changes and agree(changes):
            keep(terraform.folder, values)
            terraform.watched("apply", _PLAN, tell=tell)
            action = "removed" if wish.remove else "applied"
    outputs = {} if wish.remove or action == "planned" else _outputs(terraform)
    return {
        "cloud": cloud.name,
        "folder": str(terraform.folder),
        "action": action,
        "changes": [asdict(change) for change in changes],
        "set": outputs.pop("settings", {}),
        "outputs": outputs,
    }


def _opened(settings: "Settings", cloud: Cloud) -> Terraform:
    environment = cloud.environment(settings)
    program = find_terraform(environment.get("PATH"))
    folder = Path(settings.terraform_folder).absolute() / cloud.name
    prepare(folder, cloud.name, cloud.variables(settings))
    secrets = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    hidden = tuple(environment[name] for name in secrets if environment.get(name))
    return Terraform(program, folder, environment, hidden)


@contextmanager
def _planned(
    terraform: Terraform, values: dict[str, Any], *, remove: bool
) -> "Iterator[list[PlannedChange]]":
    """The changes of a plan that is there to be applied, and gone afterwards."""
    given, plan = terraform.folder / _GIVEN, terraform.folder / _PLAN
    given.write_text(json.dumps(values), encoding="utf-8")
    try:
        terraform.text("init", "-no-color")
        flags = ["-destroy"] if remove else []
        options = [f"-var-file={_GIVEN}", f"-out={_PLAN}", *flags]
        terraform.watched("plan", *options, tell=lambda _: None)
        yield planned_changes(json.loads(terraform.text("show", "-json", _PLAN)))
    finally:
        given.unlink(missing_ok=True)
        plan.unlink(missing_ok=True)


def _outputs(terraform: Terraform) -> dict[str, Any]:
    found = json.loads(terraform.text("output", "-json"))
    return {name: one["value"] for name, one in found.items() if not one["sensitive"]}
