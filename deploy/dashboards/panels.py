"""The kinds of panel that the dashboards are made of."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, Self, TypeAlias, TypeVar

from grafana_foundation_sdk.builders.bargauge import Panel as BarGauge
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
)
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.builders.heatmap import Panel as Heatmap
from grafana_foundation_sdk.builders.prometheus import Dataquery as Query
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as StateTimeline
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Lines
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueGraphMode,
    DataSourceRef,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    Panel,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

__all__ = ["BarGauge", "Lines", "Query", "Stat"]  # the dashboards' types, beside what is made here

# a variable of each dashboard, which works in any Grafana, whatever it calls its Prometheus
DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
NUMBER_HEIGHT, PANEL_HEIGHT = 4, 8  # in units of Grafana's grid
COUNT, PART, SECONDS, DAYS, USD = "short", "percentunit", "s", "d", "currencyUSD"
_LETTERS = "ABCDEF"  # what Grafana calls the queries of a panel
GREEN, YELLOW, RED = "green", "yellow", "red"
HALF, THIRD, QUARTER, SIXTH = 12, 8, 6, 4  # of the grid's 24 columns

Made: TypeAlias = Builder[Panel]
# colours, each from a value on; the first has none
Steps: TypeAlias = Sequence[tuple[float | None, str]]


class _Described(Protocol):
    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def datasource(self, datasource: DataSourceRef) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def height(self, h: int) -> Self: ...


def query(expression: str, legend: str = "") -> Query:
    """A query over the whole time range; legend: a text with `{{label}}`."""
    asked = Query().expr(expression).legend_format(legend).datasource(DATASOURCE)
    return asked.range().ref_id(_LETTERS[0])


def now(expression: str, legend: str = "") -> Query:
    """A query at the end of the time range."""
    return query(expression, legend).instant()


def number(title: str, about: str, unit: str, steps: Steps, of: Query) -> Stat:
    """One figure, coloured by steps."""
    panel = _described(Stat(), title, about, unit).height(NUMBER_HEIGHT)
    panel = panel.thresholds(_thresholds(steps)).graph_mode(BigValueGraphMode.NONE)
    return panel.reduce_options(_last()).with_target(of)


def lines(title: str, about: str, unit: str, *queries: Query) -> Lines:
    """Lines over time, from zero."""
    panel = _described(Lines(), title, about, unit).height(PANEL_HEIGHT)
    panel = panel.legend(_legend()).min(0).fill_opacity(10).show_points(VisibilityMode.NEVER)
    return _asking(panel, queries)


def limited(panel: Lines, limit: float) -> Lines:
    """Lines with a dashed one at a limit."""
    dashed = GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(_thresholds([(None, GREEN), (limit, RED)])).thresholds_style(dashed)


def bars(title: str, about: str, unit: str, *queries: Query) -> Lines:
    """Stacked bars over time."""
    stacked = StackingConfig().mode(StackingMode.NORMAL).group("A")
    panel = lines(title, about, unit, *queries).draw_style(GraphDrawStyle.BARS)
    return panel.fill_opacity(70).stacking(stacked)


def shares(title: str, about: str, unit: str, steps: Steps, of: Query) -> BarGauge:
    """A bar for each series, from zero, coloured by steps."""
    panel = _described(BarGauge(), title, about, unit).height(PANEL_HEIGHT)
    panel = panel.thresholds(_thresholds(steps)).reduce_options(_last()).min(0)
    panel = panel.display_mode(BarGaugeDisplayMode.BASIC).orientation(VizOrientation.HORIZONTAL)
    return panel.with_target(of)


def heat(title: str, about: str, of: Query) -> Heatmap:
    """A histogram over time: buckets upwards, the darker the more."""
    panel = _described(Heatmap(), title, about, "short").height(PANEL_HEIGHT)
    return panel.show_value(VisibilityMode.NEVER).with_target(of.format(PromQueryFormat.HEATMAP))


def states(title: str, about: str, *queries: Query) -> StateTimeline:
    """When something was in order (1) and when it was not (0)."""
    panel = _described(StateTimeline(), title, about, "short").height(PANEL_HEIGHT)
    panel = panel.mappings([in_order("yes", "no")]).show_value(VisibilityMode.NEVER)
    return _asking(panel.legend(_legend()), queries)


def table(title: str, about: str, unit: str, columns: Mapping[str, Query]) -> Table:
    """Queries with the same labels, side by side: a row for each combination of labels."""
    panel = _described(Table(), title, about, unit).height(PANEL_HEIGHT)
    queries = [one.format(PromQueryFormat.TABLE) for one in columns.values()]
    values = [f"Value #{letter}" for letter in _LETTERS[: len(columns)]]
    names = dict(zip(values, columns, strict=True))
    shown = {"excludeByName": {"Time": True}, "renameByName": names}
    panel = panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel = panel.with_transformation(DataTransformerConfig(id_val="organize", options=shown))
    return _asking(panel, queries)


def in_order(yes: str, no: str) -> ValueMap:
    """The words for 1, in green, and for 0, in red."""
    return ValueMap(
        {
            "1": ValueMappingResult(text=yes, color=GREEN, index=0),
            "0": ValueMappingResult(text=no, color=RED, index=1),
        }
    )


_Any = TypeVar("_Any", bound=_Described)
_Timed = TypeVar("_Timed", Lines, StateTimeline, Table)


def _described(panel: _Any, title: str, about: str, unit: str) -> _Any:
    return panel.title(title).description(about).datasource(DATASOURCE).unit(unit)


def _asking(panel: _Timed, queries: Sequence[Query]) -> _Timed:
    for letter, one in zip(_LETTERS, queries, strict=False):
        panel = panel.with_target(one.ref_id(letter))
    return panel


def _thresholds(steps: Steps) -> ThresholdsConfig:
    made = [Threshold(value=value, color=color) for value, color in steps]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def _last() -> ReduceDataOptions:
    return ReduceDataOptions().calcs(["lastNotNull"])


def _legend() -> VizLegendOptions:
    shown = VizLegendOptions().show_legend(show_legend=True)
    return shown.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
