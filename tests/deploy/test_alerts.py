"""The alerts of deploy/prometheus, by Prometheus's own tool and by a real Prometheus."""

import shutil
import subprocess

import pytest
import yaml

from escriba.settings import HOUSE
from tests.deploy.alert_cases import CASES

ALERTS = HOUSE / "deploy" / "prometheus" / "alerts.yml"
RULES = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
BY_NAME = {rule["alert"]: rule for rule in RULES}


@pytest.fixture(scope="session")
def promtool():
    """Prometheus's tool: Debian's package `prometheus` has it."""
    return shutil.which("promtool") or pytest.skip("promtool is not installed")


def expected(case, minute):
    """What promtool is to find at a minute of the case."""
    labels = {"severity": BY_NAME[case.alert]["labels"]["severity"]} | case.labels
    runbook = BY_NAME[case.alert]["annotations"]["runbook_url"]
    alert = {
        "exp_labels": labels,
        "exp_annotations": {"summary": case.summary, "runbook_url": runbook},
    }
    alerts = [alert] if minute == case.fires else []
    return {"eval_time": f"{minute}m", "alertname": case.alert, "exp_alerts": alerts}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_it_fires_when_it_should_and_is_quiet_before_and_after(case, promtool, tmp_path):
    story = {
        "interval": "1m",
        "input_series": [{"series": name, "values": of} for name, of in case.series.items()],
        "alert_rule_test": [expected(case, at) for at in (case.quiet, case.fires, case.over)],
    }
    path = tmp_path / "story.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": [story]}))

    done = subprocess.run(
        [promtool, "test", "rules", path], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_story_and_a_page():
    assert {case.alert for case in CASES} == set(BY_NAME)
    headings = (HOUSE / "docs" / "runbook.md").read_text("utf-8").splitlines()
    for name, rule in BY_NAME.items():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"
        assert f"### {name}" in headings


def test_a_real_prometheus_knows_what_each_expression_asks_for(prometheus):
    for rule in RULES:
        assert prometheus.answers(rule["expr"]), rule["alert"]
