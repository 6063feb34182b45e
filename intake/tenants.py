"""`tenants.yaml`: the overrides, permissions, budget and cost tags of each tenant."""

import difflib
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ConfigDict, ValidationError, field_validator

from escriba.backend_names import BACKENDS
from escriba.billing.cost_tags import PathTags, TagRule, Tags, check_tag, tag_rules_of
from escriba.billing.permissions import Permission, SpendLimits
from escriba.mail_addresses import check_addresses
from escriba.recordings import NameRefusedError, check_tenant
from escriba.reports.statement.terms import ChargeTerms
from escriba.retention import TenantAges
from escriba.settings import SettingsError

from .transcription_overrides import TranscriptionOverrides, first_fault

_MOST_BYTES = 4_000_000  # ten thousand tenants are 1 MB
_REGION = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class TenantBudget(SpendLimits):
    """USD for each day and month (UTC). owners: addresses that receive budget warnings."""

    owners: tuple[str, ...] = ()

    @field_validator("owners")
    @classmethod
    def _valid_owners(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        check_addresses(addresses)
        return addresses


class Tenant(TranscriptionOverrides):
    """The settings of one tenant. A recording's own options cannot change its permissions.

    budget: None: no limit.
    cost_center, project: tags of its recordings; `paths` sets other tags by path.
    statement_mail_to: recipients of the monthly statement.
    charge: what the tenant pays, as opposed to what it costs.
    keep: ages of its things for `escriba cleanup`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    third_parties: bool | None = None
    regions: tuple[str, ...] | None = None
    backends: tuple[str, ...] | None = None
    budget: TenantBudget | None = None
    cost_center: str | None = None
    project: str | None = None
    paths: tuple[PathTags, ...] | None = None
    statement_mail_to: tuple[str, ...] | None = None
    charge: ChargeTerms | None = None
    keep: TenantAges | None = None

    @field_validator("cost_center", "project")
    @classmethod
    def _valid_tag(cls, text: str | None) -> str | None:
        return text if text is None else check_tag(text)

    @field_validator("statement_mail_to")
    @classmethod
    def _valid_recipients(cls, addresses: tuple[str, ...] | None) -> tuple[str, ...] | None:
        check_addresses(addresses or ())
        return addresses

    @field_validator("backends")
    @classmethod
    def _known_backends(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if names == ():
            raise ValueError(
                f"[] permits no backend: list at least one of {', '.join(BACKENDS)}, or remove the "
                "line to permit all"
            )
        for name in names or ():
            if name not in BACKENDS:
                close = difflib.get_close_matches(name, BACKENDS, 1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                raise ValueError(
                    f"{name!r} is not a backend; available are {', '.join(BACKENDS)}{hint}"
                )
        return names

    @field_validator("regions")
    @classmethod
    def _valid_regions(cls, names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for name in names or ():
            if not _REGION.fullmatch(name):
                raise ValueError(f"{name!r} is not a region name such as eu-west-1")
        return names


def tenant_permission(path: Path, tenant: str) -> Permission:
    """Where a tenant's audio may go and at what cost; a tenant not in the file permits everything.

    Raises:
        SettingsError: the file is not valid; names the tenant and the key.
    """
    return _permissions(path).get(tenant, Permission())


@lru_cache(maxsize=4)
def _permissions(path: Path) -> dict[str, Permission]:
    fields = set(Permission.model_fields)
    unused = {"budget": {"owners"}}
    return {
        name: Permission.model_validate(
            tenant.model_dump(include=fields, exclude=unused, exclude_none=True)
        )
        for name, tenant in read_tenants(path).items()
    }


def tag_rules(path: Path) -> list[TagRule]:
    """The cost center and project of recordings, by tenant and path.

    Raises:
        SettingsError: the file is not valid; names the tenant and the key.
    """
    return tag_rules_of(
        {
            name: (Tags(cost_center=one.cost_center, project=one.project), one.paths or ())
            for name, one in read_tenants(path).items()
        }
    )


def tenant_ages(path: Path) -> dict[str, TenantAges]:
    """The ages of tenants that have their own.

    Raises:
        SettingsError: the file is not valid; names the tenant and the key.
    """
    return {name: one.keep for name, one in read_tenants(path).items() if one.keep is not None}


def read_tenants(path: Path) -> dict[str, Tenant]:
    """The tenants by name; empty if there is no file.

    Raises:
        SettingsError: the file is not valid; names the tenant and the key.
    """
    top = _mapping(_load_yaml(path), path.name)
    unknown = [str(key) for key in top if key != "tenants"]
    if unknown:
        raise SettingsError(
            f"{path.name}: {unknown[0]!r} is not a known key at the top level; only 'tenants' is."
        )
    tenants = _mapping(top.get("tenants"), f"{path.name}, 'tenants'")
    return {_name(name, path.name): _tenant(tenants[name], name, path.name) for name in tenants}


class _DuplicateKeyError(Exception):
    """A mapping has the same key twice."""


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML itself takes the last of two equal keys: a tenant's permissions would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # as PyYAML has it
        lines: dict[str, int] = {}
        for key, _ in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines and name != "<<":
                raise _DuplicateKeyError(
                    f"{name!r} appears twice, on lines {lines[name]} and {line}: remove one of "
                    "them, since only one can apply."
                )
            lines[name] = line
        return super().construct_mapping(node, deep)


def _load_yaml(path: Path) -> object:
    if path.is_file() and path.stat().st_size > _MOST_BYTES:
        raise SettingsError(f"{path.name} is larger than {_MOST_BYTES:,} bytes.")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506  # a SafeLoader
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SettingsError(f"{path.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path.name} is not UTF-8 text: save it as UTF-8.") from error
    except _DuplicateKeyError as error:
        raise SettingsError(f"{path.name}: {error}") from error
    except RecursionError:
        raise SettingsError(f"{path.name} is nested too deeply to be read.") from None
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
            f"{file}: YAML does not read the tenant name {name} as text: put it in quotes."
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
