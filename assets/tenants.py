"""`tenants.yaml`: what each tenant wishes for, what it permits, and what it may cost."""

import difflib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ConfigDict, ValidationError, field_validator

from pipelines.billing.policy import Limits, Permission
from pipelines.billing.statement.terms import Charge
from pipelines.billing.tags import PathTags, TagRule, Tags, check_tag, rules_of
from pipelines.mail_addresses import check_addresses
from pipelines.recordings import NameRefusedError, check_tenant
from pipelines.settings import SettingsError

from .wishes import Wishes, first_fault

BACKENDS = ("runpod", "aws_gpu", "gcp_gpu", "openai", "pyannote_ai", "local")
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class Budget(Limits):
    """USD of a day and of a month (UTC). owners: addresses that are told when it runs out."""

    owners: tuple[str, ...] = ()

    @field_validator("owners")
    @classmethod
    def _are_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        check_addresses(addresses)
        return addresses


class Tenant(Wishes):
    """One tenant's lines. What is permitted is the tenant's alone: no recording may change it.

    budget: None: everything is permitted. cost_center, project: of its recordings, but for those
    that say otherwise; paths: by where they lie. statement_mail_to: who gets the month's statement.
    charge: what the tenant pays, beside what it cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    third_parties: bool | None = None
    regions: tuple[str, ...] | None = None
    backends: tuple[str, ...] | None = None
    budget: Budget | None = None
    cost_center: str | None = None
    project: str | None = None
    paths: tuple[PathTags, ...] | None = None
    statement_mail_to: tuple[str, ...] | None = None
    charge: Charge | None = None

    @field_validator("cost_center", "project")
    @classmethod
    def _tag(cls, text: str | None) -> str | None:
        return text if text is None else check_tag(text)

    @field_validator("statement_mail_to")
    @classmethod
    def _addresses(cls, addresses: tuple[str, ...] | None) -> tuple[str, ...] | None:
        check_addresses(addresses or ())
        return addresses

    @field_validator("backends")
    @classmethod
    def _known_backends(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names == ():
            raise ValueError(
                f"[] leaves no backend; name some of {', '.join(BACKENDS)}, or leave the line out, "
                "which permits all"
            )
        for name in names or ():
            if name not in BACKENDS:
                close = difflib.get_close_matches(name, BACKENDS, 1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise ValueError(f"{name!r} is no backend; there are {', '.join(BACKENDS)}{hint}")
        return names

    @field_validator("regions")
    @classmethod
    def _written_as_regions(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in names or ():
            if not _REGION.fullmatch(name):
                raise ValueError(f"{name!r} is no region such as eu-west-1")
        return names


def tenant_permission(path: Path, tenant: str) -> Permission:
    """Where a tenant's audio may go, and for how much; who is not in the file permits everything.

    Raises:
        SettingsError: the file is wrong; names the tenant and the key.
    """
    return _permissions(path).get(tenant, Permission())


@lru_cache(maxsize=4)
def _permissions(path: Path) -> dict[str, Permission]:
    told = set(Permission.model_fields)
    of_others = {"budget": {"owners"}}
    return {
        name: Permission.model_validate(
            tenant.model_dump(include=told, exclude=of_others, exclude_none=True)
        )
        for name, tenant in read_tenants(path).items()
    }


def tag_rules(path: Path) -> list[TagRule]:
    """Whose cost center and project the recordings of which tenant and path are.

    Raises:
        SettingsError: the file is wrong; names the tenant and the key.
    """
    return rules_of(
        {
            name: (Tags(cost_center=one.cost_center, project=one.project), one.paths or ())
            for name, one in read_tenants(path).items()
        }
    )


def read_tenants(path: Path) -> dict[str, Tenant]:
    """A mapping `tenants:` of name to lines; no file: no tenant differs.

    Raises:
        SettingsError: the file is wrong; names the tenant and the key.
    """
    top = _mapping(_load_yaml(path), path.name)
    unknown = [str(key) for key in top if key != "tenants"]
    if unknown:
        raise SettingsError(
            f"{path.name}: {unknown[0]!r} is not known at the top, where only 'tenants' may be."
        )
    tenants = _mapping(top.get("tenants"), f"{path.name}, 'tenants'")
    return {_name(name, path.name): _tenant(tenants[name], name, path.name) for name in tenants}


class _TwiceError(Exception):
    """A key stands twice in one mapping."""


class _EachKeyOnce(yaml.SafeLoader):
    """YAML itself takes the last of two equal keys: a tenant's permissions would be gone."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # as PyYAML has it
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines and name != "<<":
                raise _TwiceError(
                    f"{name!r} stands twice, in the lines {lines[name]} and {line}: leave one of "
                    "them, or nobody knows which one holds."
                )
            lines[name] = line
        return super().construct_mapping(node, deep)


def _load_yaml(path: Path) -> object:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_EachKeyOnce)  # noqa: S506  # a SafeLoader
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path.name} is not UTF-8 text: save it as UTF-8.") from error
    except _TwiceError as error:
        raise SettingsError(f"{path.name}: {error}") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark else ""
        raise SettingsError(f"{path.name} is not valid YAML{where}.") from error


def _mapping(value: object, what: str) -> dict[object, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SettingsError(f"{what} must be a mapping of 'key: value' lines.")
    return value


def _name(name: object, file: str) -> str:
    if not isinstance(name, str):
        raise SettingsError(
            f"{file}: YAML reads the tenant {name} as no text: put the name in quotes."
        )
    try:
        check_tenant(name)
    except NameRefusedError as error:
        raise SettingsError(f"{file}: {error}") from error
    return name


def _tenant(value: object, name: object, file: str) -> Tenant:
    try:
        return Tenant.model_validate(_mapping(value, f"{file}, tenant {name!r}"))
    except ValidationError as error:
        raise SettingsError(f"{file}, tenant {name!r}, {first_fault(error, Tenant)}") from error
