"""Grafana's dashboards: what the code writes, and answers of a real Prometheus in every panel."""

import json
import math
import re
import time

import pytest
import yaml

from deploy.dashboards.files import FOLDER, dashboard_files
from escriba.settings import HOUSE

DASHBOARDS = {name: json.loads(text) for name, text in dashboard_files().items()}
GRAFANA, COMPOSE = HOUSE / "deploy" / "grafana", HOUSE / "deploy" / "compose"
DAY = 86_400
# longer than any test run, so that what the house did is in it
WINDOWS = {"$__rate_interval": "1h", "$__range": "1h", "$backend": "runpod|openai"}


def panels(dashboard):
    return [one for one in dashboard["panels"] if one["type"] != "row"]


def provisioned(kind, name):
    return yaml.safe_load((GRAFANA / "provisioning" / kind / name).read_text())


def without_variables(expression):
    """As Grafana sends it."""
    return re.sub(r"\$\w+", lambda found: WINDOWS[found[0]], expression)


def asked(prometheus, panel, target):
    """The values that a query gives, asked for as Grafana does."""
    expression = without_variables(target["expr"])
    if target.get("instant"):
        return [float(one["value"][1]) for one in prometheus.query(expression)]
    step, end = 1, time.time()
    if panel.get("interval") == "1d":
        step, end = DAY, end // DAY * DAY
    series = prometheus.query_range(expression, end - step, end, step)
    return [float(value) for one in series for _, value in one["values"]]


def test_the_files_are_what_the_code_writes():
    found = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}

    assert found == dashboard_files(), "Run `make dashboards`."


@pytest.mark.parametrize("name", DASHBOARDS)
def test_no_query_of_a_dashboard_is_empty(name, prometheus):
    empty = {
        f"{panel['title']}: {target['expr']}"
        for panel in panels(DASHBOARDS[name])
        for target in panel["targets"]
        if not any(map(math.isfinite, asked(prometheus, panel, target)))
    }

    assert empty == set()


def test_the_docs_list_each_panel_with_what_it_shows():
    text = (HOUSE / "docs" / "metrics.md").read_text("utf-8")
    for one in DASHBOARDS.values():
        rows = re.search(rf"\*\*{one['title']}\*\*.*\n\n((?:\|.*\n)+)", text)[1].splitlines()
        listed = [[cell.strip() for cell in row.split("|")[1:3]] for row in rows[2:]]
        assert listed == [[panel["title"], panel["description"]] for panel in panels(one)]


def test_panels_are_told_apart_and_lie_side_by_side():
    for one in DASHBOARDS.values():
        cells = set()
        for panel in one["panels"]:
            at = panel["gridPos"]
            own = {
                (at["x"] + right, at["y"] + down)
                for right in range(at["w"])
                for down in range(at["h"])
            }
            assert not own & cells, f"{panel['title']} lies on another panel"
            assert at["x"] + at["w"] <= 24, panel["title"]
            cells |= own
        assert len({panel["id"] for panel in one["panels"]}) == len(one["panels"])


def test_every_query_goes_to_the_source_that_grafana_is_given():
    [source] = provisioned("datasources", "prometheus.yml")["datasources"]
    scraped = yaml.safe_load((COMPOSE / "prometheus.yml").read_text())["global"]["scrape_interval"]

    assert source["jsonData"]["timeInterval"] == scraped
    for one in DASHBOARDS.values():
        chosen, backend = one["templating"]["list"]
        assert chosen["query"] == source["type"]
        assert chosen["current"]["value"] == source["uid"]
        asking = [target for panel in panels(one) for target in panel["targets"]]
        assert {each["datasource"]["uid"] for each in (backend, *asking)} == {"${datasource}"}


def test_compose_mounts_the_dashboards_where_grafana_looks_for_them():
    grafana = yaml.safe_load((COMPOSE / "compose.yaml").read_text())["services"]["grafana"]
    [provider] = provisioned("dashboards", "escriba.yml")["providers"]
    mounted = {
        inside: (COMPOSE / outside).resolve()
        for outside, inside, *_ in (one.split(":") for one in grafana["volumes"])
        if outside.startswith(".")
    }

    def outside(path):
        return next(
            folder / path[len(inside) + 1 :]
            for inside, folder in mounted.items()
            if path.startswith(f"{inside}/")
        )

    assert outside(provider["options"]["path"]) == FOLDER
    assert outside(grafana["environment"]["GF_PATHS_PROVISIONING"]) == GRAFANA / "provisioning"
