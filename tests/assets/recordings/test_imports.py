import re
import subprocess
import sys
import tomllib
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[3]


def imported_by(module):
    """The modules that a new interpreter loads for an import, in a folder without settings."""
    code = f"import sys, {module}; print(chr(10).join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    return {name.split(".")[0] for name in done.stdout.split()} | set(done.stdout.split())


def test_loading_the_code_location_loads_no_model_no_store_and_no_client():
    loaded = imported_by("pipelines.definitions")

    assert "dagster" in loaded
    assert not loaded & {"av", "boto3", "ctranslate2", "dbt", "duckdb", "faster_whisper"}
    assert not loaded & {"dagster_dbt", "httpx", "obstore", "onnxruntime", "pyarrow"}


def test_the_thinking_loads_no_dagster_and_help_is_light():
    assert not imported_by("escriba.transcripts.merge_speakers") & {"dagster", "av", "obstore"}
    assert not imported_by("escriba.billing.attempts") & {"dagster", "obstore", "duckdb"}
    assert not imported_by("cli") & {"dagster", "av", "duckdb", "faster_whisper"}


def test_everything_that_make_setup_installs_is_locked():
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["costs"]
    wanted = {re.match(r"[\w-]+", line)[0] for line in lines}
    lock = (HOUSE / "requirements.lock").read_text().lower().splitlines()
    locked = {line.partition("==")[0] for line in lock}

    assert wanted - locked == {"escriba-gpu-job"}  # this project's own package
