"""A child process gets the names that it reads, and none of anybody's secrets."""

import ast
from typing import get_args

import pytest

from escriba.settings import HOUSE, Settings, child_environment
from escriba.settings.child_environment import Child

CHILDREN = get_args(Child)
OF_OTHERS = ("PGPASSWORD", "POSTGRES_PASSWORD", "GITHUB_TOKEN", "HF_TOKEN", "ANTHROPIC_API_KEY")
NEEDED = ("PATH", "HOME", "LC_ALL", "TMPDIR", "SSL_CERT_FILE", "HTTPS_PROXY", "no_proxy")


@pytest.mark.parametrize("child", CHILDREN)
def test_no_child_inherits_a_setting_or_another_programs_secret(child, monkeypatch):
    names = [name.upper() for name in Settings.model_fields]
    for name in (*names, *map(str.lower, names), *OF_OTHERS):
        monkeypatch.setenv(name, "marker")
    for name in NEEDED:
        monkeypatch.setenv(name, "needed")

    got = child_environment(child)

    prefix = {"aws_terraform": "AWS_", "gcp_terraform": "GOOGLE_"}.get(child, "-")
    assert [
        name for name, it in got.items() if it == "marker" and not name.startswith(prefix)
    ] == []
    assert [name for name in NEEDED if got.get(name) != "needed"] == []


@pytest.mark.parametrize(
    ("child", "name"),
    [
        ("worker", "CUDA_VISIBLE_DEVICES"),
        ("worker", "BATCH_WINDOWS"),
        ("worker", "HF_HUB_OFFLINE"),
        ("download", "HF_ENDPOINT"),
        ("pip", "PIP_INDEX_URL"),
        ("aws_terraform", "AWS_PROFILE"),
        ("gcp_terraform", "CLOUDSDK_CONFIG"),
    ],
)
def test_a_child_keeps_what_it_reads_and_the_others_do_not_get_it(child, name, monkeypatch):
    monkeypatch.setenv(name, "mine")

    assert child_environment(child)[name] == "mine"
    assert name not in child_environment("dbt")


ROOMS = ("api", "assets", "cli", "escriba", "intake", "pipelines", "resources", "sensors")
STARTS = {"run", "Popen", "create_subprocess_exec", "create_subprocess_shell", "check_output"}


def test_every_process_is_started_with_an_environment_of_its_own():
    """Without `env=`, a child inherits everything."""
    forgotten = [
        f"{path.relative_to(HOUSE)}:{call.lineno}"
        for room in ROOMS
        for path in (HOUSE / room).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and _starts_a_process(call.func)
        if "env" not in {keyword.arg for keyword in call.keywords}
    ]

    assert forgotten == []


def _starts_a_process(function):
    of = getattr(function, "value", None)
    return (
        getattr(function, "attr", "") in STARTS
        and getattr(of, "id", "")
        in {
            "subprocess",
            "asyncio",
        }
        and not (of.id == "asyncio" and function.attr == "run")
    )
