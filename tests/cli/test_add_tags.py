"""`escriba add --cost-center --project`: whose money the files that were added are."""

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from cli.commands.add import command


@pytest.fixture
def add(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORAGE_URL", (tmp_path / "bucket").as_uri())
    for name in ("a.mp3", "b.mp3"):
        (tmp_path / name).write_bytes(b"any")
    return lambda *words: CliRunner().invoke(command, [*words, "--tenant", "law"])


def tags(folder):
    found = [pq.read_table(path) for path in (folder / "bucket" / "ledger").rglob("*.parquet")]
    return [row for table in found for row in table.to_pylist()]


def test_each_file_has_the_tags_that_were_given(add, tmp_path):
    done = add("a.mp3", "b.mp3", "--cost-center", " 4100 ", "--project", "hearings")

    assert done.exit_code == 0, done.output
    assert [(row["recording"], row["cost_center"], row["project"]) for row in tags(tmp_path)] == [
        ("law/a.mp3", "4100", "hearings"),
        ("law/b.mp3", "4100", "hearings"),
    ]


def test_what_was_refused_and_what_says_nothing_has_none(add, tmp_path):
    assert add("a.mp3").exit_code == 0
    assert add("a.mp3", "--project", "x").exit_code == 1  # it is there already

    assert tags(tmp_path) == []


@pytest.mark.parametrize("text", ["", " ", "two\nlines", "x" * 101])
def test_a_tag_that_can_be_none_is_told_before_anything_is_copied(add, tmp_path, text):
    done = add("a.mp3", "--cost-center", text)

    assert done.exit_code == 2
    assert "--cost-center" in done.output
    assert not (tmp_path / "bucket").exists()
