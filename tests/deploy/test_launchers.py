"""Dagster's launchers past one machine: their files have options that Dagster knows."""

import re
import subprocess
from importlib import import_module
from pathlib import Path

import hcl2
import pytest
import yaml
from dagster import Field, Shape
from dagster._config import process_config
from dagster._core.instance.config import dagster_instance_config_schema

from tests.deploy.terraform_runs import environment, needs_terraform

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ECS = DEPLOY / "ecs"
VALUES = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text("utf-8"))
TERRAFORM = "\n".join(path.read_text("utf-8") for path in sorted(ECS.glob("*.tf")))
NAMED = {"LOGS_BUCKET": "b", "S3_BUCKET": "b", "DAGSTER_POSTGRES_URL": "postgresql://u:p@h/d"}
PARTS = ("run_launcher", "compute_logs")


def instance_file(name):
    text = (DEPLOY / name / "dagster.yaml").read_text("utf-8")
    return yaml.safe_load(text.replace("${run_cpu}", "1024").replace("${run_memory}", "4096"))


def faults(options, schema):
    """What Dagster finds wrong with options."""
    kind = schema if isinstance(schema, Field) else Field(Shape(schema))
    return [error.message for error in process_config(kind.config_type, options).errors or ()]


def snake(value):
    """The chart's names as Dagster writes them; what Kubernetes names itself stays."""
    if isinstance(value, dict):
        return {re.sub(r"(?<!^)([A-Z])", r"_\1", key).lower(): one for key, one in value.items()}
    return value


def of_chart(section):
    """Class name and options of a section such as runLauncher."""
    name = VALUES[section]["type"]
    return name, snake(VALUES[section]["config"][name[0].lower() + name[1:]])


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("name", ["ecs", "kubernetes"])
def test_the_classes_exist_and_take_these_options(name, part, monkeypatch):
    for variable, value in NAMED.items():
        monkeypatch.setenv(variable, value)
    chosen = instance_file(name)[part]
    kind = getattr(import_module(chosen["module"]), chosen["class"])

    assert faults(chosen["config"], kind.config_type()) == []
    assert faults(chosen["config"] | {"no_such_option": 1}, kind.config_type()) != []


@pytest.mark.parametrize("name", ["ecs", "kubernetes"])
def test_dagster_takes_the_rest_of_its_file_too(name, monkeypatch):
    for variable, value in NAMED.items():
        monkeypatch.setenv(variable, value)

    assert faults(instance_file(name), dagster_instance_config_schema()) == []


@pytest.mark.parametrize(
    ("section", "module"),
    [("runLauncher", "dagster_k8s"), ("computeLogManager", "dagster_aws.s3")],
)
def test_the_values_of_the_chart_are_options_of_its_classes(section, module):
    name, options = of_chart(section)

    known = getattr(import_module(module), name).config_type()
    assert set(options) <= set(known) | {"env_secrets"}


@pytest.mark.parametrize("section", ["runMonitoring", "runRetries"])
def test_monitoring_and_retries_of_the_chart_are_options_of_dagster(section):
    options = snake(VALUES["dagsterDaemon"][section])

    schema = dagster_instance_config_schema()[re.sub(r"([A-Z])", r"_\1", section).lower()]
    assert faults(options, schema) == []


def test_a_run_whose_node_is_gone_is_resumed_by_dagster_alone():
    for monitoring in (
        instance_file("ecs")["run_monitoring"],
        instance_file("kubernetes")["run_monitoring"],
        snake(VALUES["dagsterDaemon"]["runMonitoring"]),
    ):
        assert monitoring["enabled"]
        assert monitoring["max_resume_run_attempts"] > 0
    job = VALUES["runLauncher"]["config"]["k8sRunLauncher"]["runK8sConfig"]["jobSpecConfig"]
    assert job["backoffLimit"] == 0  # else Kubernetes would start a second one beside it


def test_all_manifests_of_kubernetes_are_yaml_and_the_login_alone_reaches_the_webserver():
    found = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "ingress.yaml").read_text("utf-8")))
    by_kind = {one["kind"]: one for one in found}

    assert set(by_kind) == {"Deployment", "Service", "Ingress", "NetworkPolicy"}
    [rule] = by_kind["NetworkPolicy"]["spec"]["ingress"]
    labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert rule["from"] == [{"podSelector": {"matchLabels": labels}}]
    [path] = by_kind["Ingress"]["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"]["name"] == by_kind["Service"]["metadata"]["name"]


def test_the_files_of_terraform_are_formatted():
    needs_terraform()
    done = subprocess.run(
        ["terraform", "fmt", "-check", "-no-color"],
        cwd=ECS,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, f"Run `terraform fmt deploy/ecs`: {done.stdout}"


@pytest.mark.parametrize("path", sorted(ECS.glob("*.tf")), ids=lambda path: path.name)
def test_the_files_of_terraform_can_be_read(path):
    with path.open(encoding="utf-8") as file:
        assert hcl2.load(file)


def test_every_variable_and_resource_that_is_used_is_declared_and_no_variable_is_unused():
    variables = set(re.findall(r'^variable "(\w+)"', TERRAFORM, re.MULTILINE))
    resources = {
        ".".join(one) for one in re.findall(r'^resource "(\w+)" "(\w+)"', TERRAFORM, re.MULTILINE)
    }

    assert set(re.findall(r"\bvar\.(\w+)", TERRAFORM)) == variables
    assert set(re.findall(r"(?<![\w.\"])(aws_\w+\.\w+)", TERRAFORM)) <= resources


def test_the_launcher_may_do_nothing_on_everything_without_a_condition():
    roles = (ECS / "roles.tf").read_text("utf-8")
    for statement in re.findall(r"\{\n\s+Sid.*?\n      \}", roles, re.DOTALL):
        assert '"*"' not in statement.replace('["*"]', '"*"') or "Condition" in statement
    assert not re.search(r'"\w+:\*"', roles)
