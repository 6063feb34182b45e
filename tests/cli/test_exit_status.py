"""Every exit status is documented, and an interrupt ends with one sentence and the true count."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import cli
from assets.recordings.progress import Failed, RecordingOutcome
from cli import exit_status
from cli.runs.progress_bars import OutcomeCollector
from cli.runs.run_recordings import RunResult
from cli.runs.stopped_sentence import stopped_sentence
from escriba.recordings import from_inbox_key

HOUSE = Path(__file__).resolve().parents[2]


def test_help_and_docs_have_every_exit_status():
    shown = " ".join(CliRunner().invoke(cli.escriba, ["--help"]).output.split())
    documented = (HOUSE / "docs" / "operations.md").read_text()

    for status, meaning in exit_status.MEANINGS.items():
        assert f"{status} {meaning}" in shown
        assert f"| {status} | {meaning}" in documented


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (KeyboardInterrupt(), 130, "Stopped; completed work is kept.\n"),
        (click.UsageError("no such thing"), 2, "Error: no such thing\n"),
        (SystemExit(3), 3, ""),
        (None, 0, ""),
    ],
)
def test_each_end_has_its_status_and_sentence(monkeypatch, capsys, raised, status, said):
    def invoke(_context):
        if raised is not None:
            raise raised

    monkeypatch.setattr(cli.escriba, "invoke", invoke)
    monkeypatch.setattr("sys.argv", ["escriba", "status"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == status
    assert capsys.readouterr().err.endswith(said)


def test_a_stopped_run_counts_what_is_done_and_what_is_not():
    outcomes = [RecordingOutcome(from_inbox_key(f"inbox/t/{i}.wav")) for i in range(4)]
    outcomes[3].failed = Failed(
        "raw_audio", "not_audio", "It is no audio.", "Remove it.", permanent=True
    )
    progress = OutcomeCollector()
    progress.outcomes = outcomes

    ran = RunResult(progress, "KeyboardInterrupt", asked=12)

    assert ran.exit_status == 130
    assert stopped_sentence(ran) == (
        "Stopped: 3 of 12 recordings done and 1 failed; completed work is kept, and the next "
        "`escriba run` continues."
    )
