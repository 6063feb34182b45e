"""`show` renders a format from the bucket, and reports content that it cannot read."""

import pytest
from click.testing import CliRunner

from cli.commands.show import command as show


def shown(house, *arguments):
    environment = {"STORAGE_URL": house.storage.url, "DAGSTER_HOME": str(house.root / "home")}
    return CliRunner(env=environment).invoke(show, arguments)


@pytest.mark.parametrize(
    ("file", "body", "says"),
    [
        ("diarized.json", b"{", "is damaged. Recreate it: `escriba run acme/a.wav`."),
        ("diarized.json", b'{"schema_version": 99}', "upgrade Escriba"),
        ("options.json", b'{"language": "xx"}', "Add the file again with `escriba add`"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(house, silence, file, body, says):
    recording = house.put(silence(), "a.wav")
    house.batch([recording])
    house.storage.delete(recording.transcript_key("transcript.csv"))
    place = recording.work_key if file == "options.json" else recording.transcript_key
    house.storage.write(place(file), body)

    told = shown(house, "acme/a.wav", "--format", "csv")

    assert (told.exit_code, says in told.stderr) == (1, True), told.output
    assert "Traceback" not in told.output
    assert told.stdout == ""
