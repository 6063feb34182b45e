"""Misspelt settings are named, and nobody else's names are."""

import pytest

from cli.checks.all_checks import run_checks
from escriba.settings import setting_names
from escriba.settings.unknown_names import distance, unknown_names

# what shells, clouds, CI and containers set
OF_OTHERS = """
    PATH HOME USER SHELL LANG LANGUAGE LC_ALL TERM PWD OLDPWD EDITOR MAIL LOGNAME DISPLAY HOSTNAME
    VIRTUAL_ENV PYTHONPATH PIP_INDEX_URL NODE_ENV DATABASE_URL REDIS_URL POSTGRES_USER PORT HOST
    AWS_PROFILE AWS_DEFAULT_REGION AWS_ROLE_ARN AWS_EXECUTION_ENV AWS_CONTAINER_CREDENTIALS_FULL_URI
    AWS_REGIONS AWS_ENDPOINT_URL_S3 GOOGLE_CLOUD_PROJECT AZURE_CLIENT_ID AZURE_TENANT_ID
    DAGSTER_DISABLE_TELEMETRY DAGSTER_GRPC_TIMEOUT_SECONDS RUNPOD_POD_ID RUNPOD_PUBLIC_IP
    HF_HOME HF_TOKEN HF_ENDPOINT HF_HUB_OFFLINE HUGGING_FACE_HUB_TOKEN CUDA_VISIBLE_DEVICES
    SMTP_PASS SMTP_FROM S3_ENDPOINT MODE MODULE DEBUG CHANGE_ID STORAGE PROMPT PS1 TASK DEVICES
    OMP_NUM_THREADS KUBERNETES_SERVICE_HOST GITHUB_REPOSITORY CI JOB_NAME BUILD_NUMBER http_proxy
""".split()  # fmt: skip  # noqa: SIM905


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MODLE", "MODEL"),
        ("modle", "MODEL"),
        ("DAILY_COST_TRESHOLD", "DAILY_COST_THRESHOLD"),
        ("DAILY_COST_LIMIT", "DAILY_COST_THRESHOLD"),
        ("DIARISER", "DIARIZER"),
        ("RUNPOD_WORKERS_MAXIMUM", "RUNPOD_WORKERS_MAX"),
        ("STORAGE_ULR", "STORAGE_URL"),
        ("DEFUALT_LANGUAGE", "DEFAULT_LANGUAGE"),
        ("TENANT_FILE", "TENANTS_FILE"),
        ("CPU_THREAD", "CPU_THREADS"),
    ],
)
@pytest.mark.parametrize("in_env_file", [True, False])
def test_the_nearest_setting_is_named(name, meant, in_env_file):
    [found] = unknown_names([name], setting_names(), in_env_file=in_env_file)

    assert (found.name, found.meant) == (name.upper(), meant)


def test_of_the_names_of_others_none_is_taken_for_ours():
    assert unknown_names(OF_OTHERS, setting_names(), in_env_file=False) == []


def test_a_file_that_is_mostly_ours_is_read_more_closely():
    names = ["SMTP_PASS", "AWS_ACCES_KEY_ID", "LANGUAGE", "REDIS_URL"]
    found = unknown_names(names, setting_names(), in_env_file=True)

    assert {one.name: one.meant for one in found} == {
        "SMTP_PASS": "SMTP_PASSWORD",
        "AWS_ACCES_KEY_ID": "AWS_ACCESS_KEY_ID",
        "LANGUAGE": "DEFAULT_LANGUAGE",
    }


def test_no_setting_is_a_stranger():
    assert unknown_names(setting_names(), setting_names(), in_env_file=True) == []


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [("", "ab", 2), ("MODEL", "MODLE", 1), ("abc", "abd", 1), ("abc", "ab", 1), ("ca", "abc", 3)],
)
def test_letters_that_are_wrong_are_counted(one, other, letters):
    assert distance(one, other) == distance(other, one) == letters


def test_misspelt_names_are_told_beside_a_setting_that_is_wrong(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("FORMATS=txt,sert\nMODLE=/models/base\n")

    wrong, misspelt = run_checks()

    assert (wrong.state, misspelt.state) == ("broken", "odd")
    assert "'sert' is not a format" in wrong.found
    assert "MODLE is set in .env" in misspelt.found
    assert "MODEL?" in misspelt.advice


def test_a_file_of_settings_that_is_no_text_is_told_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"HOTWORDS=\xe7\xe3o\n")

    [wrong] = run_checks()

    assert "UTF-8" in wrong.found
