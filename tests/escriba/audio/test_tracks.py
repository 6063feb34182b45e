"""Of a file with several sounds the right one is heard, and that is said."""

import struct
from types import SimpleNamespace

import av
import numpy as np
import pytest

from escriba.audio.audio_errors import NoSuchTrack, UnknownCodec
from escriba.audio.decode import decode_blocks
from escriba.audio.optimize import optimize
from escriba.audio.track_choice import language_of
from escriba.audio.track_names import TrackRequest, check_track

RATE_HZ = 16_000
SILENCE = 0


def sound(hz, seconds, from_seconds=0.0):
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return (9000 * np.sin(2 * np.pi * hz * time) * (time >= from_seconds)).astype(np.int16)


def write(path, *tracks, codec="aac", seconds=6.0):
    """A file of tracks: each a pitch (0 is silence), or (pitch, options)."""
    with av.open(str(path), "w") as container:
        streams = []
        for track in tracks:
            hz, told = track if isinstance(track, tuple) else (track, {})
            stream = container.add_stream(codec, rate=RATE_HZ, layout="mono")
            stream.metadata.update({"language": told["language"]} if "language" in told else {})
            stream.disposition = told.get("disposition", 0)
            streams.append((stream, sound(hz, seconds, told.get("from_seconds", 0))))
        packets = []
        for stream, samples in streams:
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            packets += [*stream.encode(frame), *stream.encode(None)]
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            container.mux(packet)
    return path


@pytest.fixture
def heard(pitches):
    """The pitch that a file is heard with, and the codes of its warnings."""

    def listen(path, wish=TrackRequest(), **how):  # noqa: B008  # frozen
        decoder = decode_blocks(path, channels="mixed", stop=lambda: False, request=wish, **how)
        samples = np.concatenate(list(decoder))
        return pitches(samples)[0], [warning.code for warning in decoder.warnings]

    return listen


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.mov", "a.ts"])
def test_a_silent_desktop_before_the_microphone_is_not_taken(name, tmp_path, heard):
    path = write(tmp_path / name, SILENCE, 440)
    assert heard(path) == (440, ["one_of_several_tracks"])


def test_a_microphone_that_is_silent_at_first_is_found_further_on(tmp_path, heard):
    path = write(tmp_path / "a.mkv", SILENCE, (440, {"from_seconds": 200}), seconds=300)
    assert heard(path)[0] == 440


def test_where_all_tracks_sound_the_first_is_taken_and_told(tmp_path, heard):
    assert heard(write(tmp_path / "a.mkv", 300, 440)) == (300, ["one_of_several_tracks"])


def test_the_default_is_taken_before_the_first(tmp_path, heard):
    default = {"disposition": av.stream.Disposition.default}
    assert heard(write(tmp_path / "a.mkv", 300, (440, default)))[0] == 440


@pytest.mark.parametrize(("language", "hz"), [("en", 300), ("pt", 440), ("de", 610), ("fr", 300)])
def test_the_wanted_language_is_taken_where_the_file_names_it(language, hz, tmp_path, heard):
    tracks = [(300, {"language": "eng"}), (440, {"language": "por"}), (610, {"language": "ger"})]
    path = write(tmp_path / "a.mkv", *tracks)
    assert heard(path, TrackRequest(language=language))[0] == hz


@pytest.mark.parametrize("hostile", ["\x1b[2Jgone", "[a](javascript:b)", "x" * 500, "<b>"])
def test_what_a_file_calls_a_language_reaches_people_only_where_it_is_a_code(hostile):
    assert language_of(SimpleNamespace(metadata={"language": hostile})) == ""
    assert language_of(SimpleNamespace(metadata={"language": "pt-BR"})) == "pt"


def test_a_commentary_stands_back(tmp_path, heard):
    comment = {"disposition": av.stream.Disposition.comment}
    assert heard(write(tmp_path / "a.mkv", (300, comment), 440))[0] == 440


def test_a_number_is_taken_whatever_sounds(tmp_path, heard):
    path = write(tmp_path / "a.mkv", 300, SILENCE, 440)
    assert heard(path, TrackRequest(3))[0] == 440
    assert heard(path, TrackRequest(2))[0] == 0
    with pytest.raises(NoSuchTrack, match="track 4 was requested, but the file has 3"):
        heard(path, TrackRequest(4))


def test_a_number_for_a_file_of_one_sound_is_a_warning(tmp_path, heard):
    path = write(tmp_path / "a.mkv", 300)
    assert heard(path, TrackRequest(2)) == (300, ["no_such_track"])
    assert heard(path) == (300, [])


@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_a_first_track_of_an_unknown_codec_blocks_no_second_one(name, tmp_path, heard):
    path = write(tmp_path / name, 300, 440)
    first, track, rest = path.read_bytes().partition(b"stsd")
    spoiled = rest[:200].replace(b"mp4a", b"apac").replace(b"esds", b"free")
    path.write_bytes(first + track + spoiled + rest[200:])
    assert heard(path) == (440, ["one_of_several_tracks"])
    with pytest.raises(UnknownCodec, match="track 1"):
        heard(path, TrackRequest(1))


def test_a_first_track_that_is_garbage_blocks_no_second_one(tmp_path, heard):
    path = write(tmp_path / "a.mp4", 300, 440)
    with av.open(str(path)) as container:
        spoiled = [(p.pos, p.size) for p in container.demux(container.streams.audio[0]) if p.size]
    content = bytearray(path.read_bytes())
    for position, size in spoiled:
        content[position : position + size] = struct.pack("B", 255) * size
    path.write_bytes(content)
    assert heard(path)[0] == 440


def test_all_tracks_become_channels_on_one_clock(tmp_path, fake_detector, decode, pitches):
    path = write(tmp_path / "a.mkv", 300, (440, {"from_seconds": 2}), 610)
    made = optimize(path, tmp_path, detector=fake_detector, track="all")
    samples = decode(made.path, "separate")
    assert made.channels == 3
    assert pitches(samples) == [300, 440, 610]
    assert np.argmax(np.abs(samples[:, 1].astype(int)) > 3000) / RATE_HZ == pytest.approx(
        2, abs=0.1
    )
    assert {region.channel for region in made.regions} == {0, 1, 2}


def test_all_tracks_of_a_file_of_one_keep_its_channels(tmp_path, fake_detector, make):
    path = make("a.flac", "flac", 16_000, "stereo")
    made = optimize(path, tmp_path, detector=fake_detector, track="all", channels="separate")
    assert made.channels == 2


def test_the_detector_of_speech_decides_where_there_is_one(tmp_path, heard):
    path = write(tmp_path / "a.mkv", 300, 440)

    def hears(samples):  # 440 Hz is speech to it
        return float(np.argmax(np.abs(np.fft.rfft(samples[:RATE_HZ].astype(float)))) == 440)

    assert heard(path, measure_speech=hears)[0] == 440


@pytest.mark.parametrize("wrong", ["0", "-1", "two", "", "1.5"])
def test_a_name_of_no_track_is_refused(wrong):
    with pytest.raises(ValueError, match="use 'auto', 'all', or a number"):
        check_track(wrong)
