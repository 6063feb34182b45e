"""A dashboard from its rows of panels, and the JSON that Grafana reads."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.dashboards.panels import DATASOURCE, Made

TAG: Final = "escriba"
PROVISIONED: Final = "escriba-prometheus"  # the uid in deploy/grafana/provisioning/datasources
SCHEMA: Final = 41  # of Grafana 12.1 (deploy/compose); later ones migrate it when they load it


def dashboard(
    uid: str, title: str, about: str, *, since: str, rows: Mapping[str, Sequence[Made]]
) -> dict[str, Any]:
    """The whole dashboard as JSON. since: where its time range begins, such as `now-24h`."""
    made = _frame(uid, title, about).time(since, "now")
    for row, panels in rows.items():
        made = made.with_row(Row(row))
        for panel in panels:
            made = made.with_panel(panel)
    built = made.build()
    built.schema_version = SCHEMA
    for number, placed in enumerate(built.panels or (), start=1):
        placed.id_val = number
    found: dict[str, Any] = json.loads(json.dumps(built, cls=JSONEncoder))
    return found


def _frame(uid: str, title: str, about: str) -> Dashboard:
    """A dashboard without panels; days are UTC's, as those of the budgets."""
    return (
        Dashboard(title)
        .uid(uid)
        .description(about)
        .tags([TAG])
        .timezone("utc")
        .refresh("1m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags([TAG]))
        .with_variable(_datasources())
        .with_variable(_backends())
    )


def _datasources() -> DatasourceVariable:
    first = VariableOption(text="Prometheus", value=PROVISIONED)
    return DatasourceVariable("datasource").label("Prometheus").type("prometheus").current(first)


def _backends() -> QueryVariable:
    everything = VariableOption(text="All", value="$__all")
    return (
        QueryVariable("backend")
        .label("Backend")
        .datasource(DATASOURCE)
        .query("label_values(transcription_jobs_total, backend)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(everything)
    )
