"""Checks tenants.yaml, and which backends each tenant's rules permit."""

from collections.abc import Iterator, Mapping, Sequence

from escriba.backend_names import BACKENDS, LOCAL
from escriba.billing.backend_exclusions import lasting_exclusion
from escriba.billing.quotes import JobSize, size_of
from escriba.settings import Settings, SettingsError
from intake.job_options import turns_alone, words_alone
from intake.recording_options import check_tenants, tenant_options
from intake.tenants import Tenant, read_tenants, tenant_permission
from resources.gpu.backend import Backend
from resources.gpu.registry import needs_of, open_backends

from .finding import Finding

_WHAT = "tenants"
_RULES = {"third_parties", "regions", "backends", "model", "budget"}


def tenants(settings: Settings) -> Iterator[Finding]:
    """Check that the file is valid, and report each tenant that has rules; makes no requests."""
    file = settings.tenants_file
    try:
        check_tenants(settings)
        known = read_tenants(file)
    except SettingsError as error:
        yield Finding(what=_WHAT, state="broken", found=str(error), advice=f"Correct {file.name}.")
        return
    count = f"{len(known)} tenant{'s' * (len(known) != 1)}"
    exists = file.exists()
    found = f"{file} configures {count}" if exists else f"no {file}: all tenants use the settings"
    yield Finding(what=_WHAT, state="well", found=found)
    try:
        backends = open_backends(settings)
    except SettingsError:  # reported by the check of the backends
        return
    for name, tenant in known.items():
        if _RULES & tenant.model_fields_set:
            yield _permitted_backends(name, tenant, settings, backends)
            yield from _without_speakers(name, settings, backends)


def _without_speakers(
    name: str, settings: Settings, backends: Sequence[Backend]
) -> Iterator[Finding]:
    """Report a tenant whose rules leave no backend for the job of the speakers."""
    options = tenant_options(name, settings).job
    if not settings.speakers_backend or options.diarizer == "none":
        return
    job = size_of(turns_alone(options), audio_ms=0, speech_ms=0, audio_bytes=0, channels=1)
    permission = tenant_permission(settings.tenants_file, name)
    reasons = {
        f"{one.name}/{one.sku}": lasting_exclusion(job, one.name, one.capabilities, permission)[1]
        for one in backends
    }
    if all(reasons.values()):
        each = "; ".join(f"{backend}: {why}" for backend, why in reasons.items())
        yield Finding(
            what=_WHAT,
            state="odd",
            found=f"no backend may find the speakers of {name}: {each}",
            advice=f"Its transcripts have no speakers. Set `diarize: false` for {name}, or change "
            "its rules.",
        )


def _permitted_backends(
    name: str, tenant: Tenant, settings: Settings, backends: Sequence[Backend]
) -> Finding:
    exclusions = {f"{one.name}/{one.sku}": _exclusion(name, settings, one) for one in backends}
    permitted = [backend for backend, why in exclusions.items() if not why]
    reasons = "; ".join(f"{backend}: {why}" for backend, why in exclusions.items() if why)
    if permitted:
        found = f"jobs of {name} go to {', '.join(permitted)}"
        found += f"; {reasons}" if reasons else ""
        return Finding(what=_WHAT, state="well", found=found)
    return Finding(
        what=_WHAT,
        state="broken",
        found=f"no backend is permitted for jobs of {name}: {reasons}",
        advice=f"Its recordings fail. {_fix(tenant, settings, exclusions)}",
    )


def _exclusion(tenant: str, settings: Settings, backend: Backend) -> str:
    """Return why the backend never gets a job of this tenant; empty if it may."""
    permission = tenant_permission(settings.tenants_file, tenant)
    can = backend.capabilities
    _, why = lasting_exclusion(_job(tenant, settings), backend.name, can, permission)
    budget = permission.budget
    if not why and can.paid and 0 in {budget.day_usd, budget.month_usd}:
        return "the tenant's budget is 0 USD"
    return why


def _job(tenant: str, settings: Settings) -> JobSize:
    """Return an empty job with the tenant's model and language: that of the words."""
    options = tenant_options(tenant, settings).job
    if settings.speakers_backend:
        options = words_alone(options)
    return size_of(options, audio_ms=0, speech_ms=0, audio_bytes=0, channels=1)


def _fix(tenant: Tenant, settings: Settings, exclusions: Mapping[str, str]) -> str:
    opened = {name.partition("/")[0] for name in exclusions}
    missing = [one for one in tenant.backends or BACKENDS if one not in opened]
    rules = ", ".join(sorted(_RULES & tenant.model_fields_set))
    change = f"Change its {rules} in {settings.tenants_file.name}"
    ways = ["LOCAL_FALLBACK=true" if one == LOCAL else needs_of(one) for one in missing]
    needs = [f"{one} needs {way}" for one, way in zip(missing, ways, strict=True)]
    return f"{change}{', or set up another backend: ' if needs else ''}{'; '.join(needs)}."
