from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from cli.dagster_home import _OLD_FIRST_LINE, dagster_home, is_unedited
from cli.runs.run_recordings import open_instance
from escriba.settings import SettingsError, load_settings


def home(tmp_path, **settings):
    return dagster_home(load_settings(dagster_home=tmp_path / "dagster", **settings))


def test_a_new_home_tells_nobody_anything_and_runs_no_bad_file_again(tmp_path):
    text = (home(tmp_path) / "dagster.yaml").read_text()
    written = yaml.safe_load(text)

    assert is_unedited(text)
    assert written["telemetry"] == {"enabled": False}
    assert written["nux"] == {"enabled": False}
    assert written["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert "storage" not in written


def test_ours_follows_the_settings_and_what_somebody_edited_stays(tmp_path):
    path = home(tmp_path) / "dagster.yaml"
    url = "postgresql://dagster:hunter2@db/dagster"

    home(tmp_path, dagster_postgres_url=url)
    with_postgres = path.read_text()
    edited = with_postgres.replace("max_concurrent_runs: 4", "max_concurrent_runs: 9")
    path.write_text(edited)
    home(tmp_path)

    reference = yaml.safe_load(with_postgres)["storage"]["postgres"]["postgres_url"]
    assert reference == {"env": "DAGSTER_POSTGRES_URL"}  # never the secret itself
    assert "hunter2" not in with_postgres
    assert path.read_text() == edited
    assert not is_unedited(edited)


def test_a_file_that_an_older_version_wrote_is_brought_up_to_date(tmp_path, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr("cli.dagster_home._BODY", "telemetry:\n  enabled: false\n")
        path = home(tmp_path) / "dagster.yaml"

    home(tmp_path)

    assert "max_concurrent_runs" in path.read_text()


def test_a_file_of_a_version_with_another_first_line_is_updated(tmp_path, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr("cli.dagster_home._FIRST_LINE", _OLD_FIRST_LINE)
        path = home(tmp_path) / "dagster.yaml"
    assert "and it is never written again" in path.read_text()

    home(tmp_path)

    assert "Once you edit it, Escriba never overwrites it" in path.read_text()


def test_an_address_of_postgres_that_stands_in_env_alone_is_enough(
    tmp_path, postgres_url, monkeypatch
):
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", "")  # so that it is forgotten after the test
    monkeypatch.delenv("DAGSTER_POSTGRES_URL")
    (tmp_path / ".env").write_text(f"DAGSTER_POSTGRES_URL={postgres_url}\nDAGSTER_HOME=dagster\n")

    with open_instance(load_settings()) as instance:
        assert "postgres" in type(instance.run_storage).__name__.lower()


def test_a_home_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "dagster").write_text("a file")

    with pytest.raises(SettingsError, match="DAGSTER_HOME"):
        home(tmp_path)


def test_many_processes_that_make_the_folder_at_once_all_succeed(tmp_path):
    settings = load_settings(dagster_home=tmp_path / "dagster")
    with ThreadPoolExecutor(16) as pool:
        homes = list(pool.map(lambda _: dagster_home(settings), range(64)))

    assert set(homes) == {tmp_path / "dagster"}
    assert is_unedited((tmp_path / "dagster" / "dagster.yaml").read_text())
    assert [path.name for path in (tmp_path / "dagster").iterdir()] == ["dagster.yaml"]
