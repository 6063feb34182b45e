"""A file with several audio tracks, through the whole chain."""

import json
from fractions import Fraction

import av
import numpy as np
import pytest

from escriba.stages import RAW_AUDIO, VERSIONS
from intake.stage_records import record_key


@pytest.fixture
def two_tracks(tmp_path, wav, clips):
    """Three tracks: silence, an English speaker, and another speaker."""
    path = tmp_path / "obs.mkv"
    sounds = [wav.read(clips.english), wav.read(clips.other)]
    length = min(map(len, sounds))
    with av.open(str(path), "w") as container:
        packets = []
        for sound in [np.zeros(length, np.int16), *sounds]:
            stream = container.add_stream("flac", rate=16_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(sound[:length].reshape(1, -1), "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
            packets += [*stream.encode(frame), *stream.encode(None)]
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            container.mux(packet)
    return path


def test_the_track_in_which_somebody_speaks_is_transcribed_and_that_is_told(house, two_tracks):
    recording = house.put(two_tracks, "obs.mkv")

    [outcome] = house.batch([recording])

    assert outcome.failed is None
    assert [warning.code for warning in outcome.warnings] == ["one_of_several_tracks"]
    assert "track 2 is transcribed" in outcome.warnings[0].message
    assert "Good morning" in house.text(recording)


def test_another_track_is_another_transcript_and_all_are_channels(house, two_tracks):
    recording = house.put(two_tracks, "obs.mkv")
    texts = []
    for wish in ("auto", "3", "all", "auto"):
        options = json.dumps({"track": wish}).encode()
        house.storage.write(recording.work_key("options.json"), options)
        [outcome] = house.batch([recording])
        assert outcome.failed is None
        texts.append(house.text(recording))

    assert "Good morning" in texts[0]
    assert "Good morning" not in texts[1]
    assert {"SPEAKER_01", "SPEAKER_02"} <= {word.rstrip(":") for word in texts[2].split()}
    assert texts[3] == texts[0]
    assert len(house.attempts()) == 3


def test_a_track_is_heard_of_a_file_that_an_older_version_probed(house, two_tracks, monkeypatch):
    """The record does not have the number of tracks, so the file is probed again."""
    recording = house.put(two_tracks, "obs.mkv")
    with monkeypatch.context() as older:
        older.setitem(VERSIONS, RAW_AUDIO, 1)
        house.batch([recording])
    record = json.loads(house.storage.read(record_key(recording, RAW_AUDIO)))
    del record["facts"]["audio_streams"]
    house.storage.write(record_key(recording, RAW_AUDIO), json.dumps(record).encode())
    house.storage.write(recording.work_key("options.json"), b'{"track": "3"}')

    [outcome] = house.batch([recording])

    assert outcome.failed is None
    assert "Good morning" not in house.text(recording)
