"""What broadcasters, players and laboratories write, and what is only called a recording."""

import struct

import av
import numpy as np
import pytest

from escriba.audio.audio_errors import NotAudio, UnknownCodec
from escriba.audio.decode import decode_blocks
from escriba.audio.header_errors import ImpossibleFormat
from escriba.audio.probe import probe

RATE_HZ = 16_000


def tone(seconds, rate):
    return (9000 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)).astype(np.int16)


def encode(path, codec, rate, container_format=None, layout="mono"):
    """A tone of 440 Hz in a container that is named by format, whatever the ending."""
    with av.open(str(path), "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.codec_context.options = {"strict": "experimental"}
        count = stream.codec_context.layout.nb_channels
        samples = np.repeat(tone(4, rate), count).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, "s16", layout)
        frame.sample_rate, frame.pts = rate, 0
        container.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def heard(path):
    decoder = decode_blocks(path, channels="mixed", stop=lambda: False)
    return np.concatenate(list(decoder))[:, 0], decoder


@pytest.mark.parametrize(
    "what",
    [
        ("latm", "aac", 48_000, "mono"),
        ("rm", "ac3", 44_100, "stereo"),
        ("rm", "real_144", 8_000, "mono"),
        ("ircam", "pcm_s16le", 16_000, "mono"),
        ("sox", "pcm_s32le", 16_000, "mono"),
        ("w64", "pcm_s16le", 16_000, "mono"),
        ("caf", "pcm_s16le", 16_000, "mono"),
        ("au", "pcm_s16be", 16_000, "mono"),
        ("tta", "tta", 16_000, "mono"),
        ("wv", "wavpack", 16_000, "mono"),
    ],
)
def test_containers_of_other_trades_are_decoded(what, tmp_path, pitches):
    container_format, codec, rate, layout = what
    path = encode(tmp_path / "a.bin", codec, rate, container_format, layout)
    sound, decoder = heard(path)
    assert decoder.decoded_ms == pytest.approx(4000, abs=100)
    assert pitches(sound[8000:40_000].reshape(-1, 1))[0] == pytest.approx(440, abs=1)
    assert decoder.warnings == ()


def test_a_broadcasters_mxf_is_decoded(tmp_path, pitches):
    path = tmp_path / "a.mxf"
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg2video", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv422p"
        sound = container.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for _ in range(75):
            image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(image))
        container.mux(picture.encode(None))
        frame = av.AudioFrame.from_ndarray(tone(3, 48_000).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = 48_000, 0
        container.mux([*sound.encode(frame), *sound.encode(None)])
    samples, decoder = heard(path)
    assert decoder.decoded_ms == pytest.approx(3000, abs=60)
    assert pitches(samples.reshape(-1, 1)) == [440]


@pytest.mark.parametrize(("coding", "codec"), [("pcm", "<i2"), ("pcm", ">i2")])
def test_a_laboratorys_sphere_file_is_decoded(coding, codec, tmp_path, pitches):
    order = "01" if codec == "<i2" else "10"
    fields = (
        f"NIST_1A\n   1024\nchannel_count -i 1\nsample_rate -i {RATE_HZ}\n"
        f"sample_n_bytes -i 2\nsample_byte_format -s2 {order}\nsample_sig_bits -i 16\n"
        f"sample_coding -s3 {coding}\nsample_count -i {3 * RATE_HZ}\nend_head\n"
    )
    path = tmp_path / "a.sph"
    path.write_bytes(fields.encode().ljust(1024) + tone(3, RATE_HZ).astype(codec).tobytes())
    sound, decoder = heard(path)
    assert decoder.decoded_ms == 3000
    assert pitches(sound.reshape(-1, 1)) == [440]


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le", "pcm_mulaw", "pcm_f32le"])
@pytest.mark.parametrize("factor", [0.0, 0.25, 0.5, 2, 100])
def test_a_wav_with_a_wrong_byte_rate_is_whole(codec, factor, tmp_path):
    path = encode(tmp_path / "a.wav", codec, RATE_HZ)
    content = bytearray(path.read_bytes())
    place = content.index(b"fmt ") + 16
    wrong = int(struct.unpack_from("<I", content, place)[0] * factor)
    struct.pack_into("<I", content, place, wrong)
    path.write_bytes(content)
    assert probe(path).declared_ms == 4000
    assert heard(path)[1].decoded_ms == 4000
    assert heard(path)[1].warnings == ()


@pytest.mark.parametrize(("name", "codec"), [("a.flv", "aac"), ("a.vob", "mp2"), ("a.ts", "aac")])
def test_sound_that_starts_after_twenty_seconds_of_video_is_found(name, codec, tmp_path):
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        picture = container.add_stream("flv1" if name == "a.flv" else "mpeg2video", rate=25)
        picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
        sound = container.add_stream(codec, rate=44_100, layout="mono")
        packets = []
        for _ in range(25 * 24):
            image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            packets += picture.encode(image)
        packets += picture.encode(None)
        frame = av.AudioFrame.from_ndarray(tone(4, 44_100).reshape(1, -1), "s16", "mono")
        frame.sample_rate, frame.pts = 44_100, 0
        for packet in [*sound.encode(frame), *sound.encode(None)]:
            late = round(20 / packet.time_base)
            packet.pts, packet.dts = packet.pts + late, packet.dts + late
            packets.append(packet)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            container.mux(packet)
    samples, decoder = heard(path)
    first = np.argmax(np.abs(samples.astype(int)) > 3000) / 16
    assert first == pytest.approx(20_000, abs=100)
    assert decoder.decoded_ms == pytest.approx(24_000, abs=150)


@pytest.mark.parametrize(
    ("head", "error", "named"),
    [
        (b"MS_VOICE\x01", UnknownCodec, "a Sony voice file"),
        (b"\x03ds2\x01", UnknownCodec, "a DSS Pro dictation"),
        (b"%PDF-1.7\n", NotAudio, "a PDF document"),
        (b"PK\x03\x04\x14\x00", NotAudio, "a ZIP archive"),
        (b"MThd\x00\x00\x00\x06", NotAudio, "a MIDI file"),
        (b"\x00\x05\x16\x07\x00\x02", NotAudio, "a macOS metadata file"),
        (b"#EXTM3U\n", NotAudio, "a playlist"),
    ],
)
def test_what_cannot_be_read_is_called_by_its_name(head, error, named, tmp_path):
    path = tmp_path / "a.mp3"
    path.write_bytes(head + bytes(2000))
    with pytest.raises(error, match=named) as caught:
        probe(path)
    assert ("Convert" in caught.value.advice) == (error is UnknownCodec)


def dsf(path, multiple, seconds=0.5):
    """A tone of 440 Hz as DSD, in noise: two channels of single bits, in blocks of 4096 bytes."""
    rate, block = 44_100 * multiple, 4096
    count = int(rate * seconds) // (8 * block) * 8 * block
    wave = np.sin(2 * np.pi * 440 * np.arange(count, dtype=np.float32) / rate)
    bits = np.random.default_rng(0).random(count, np.float32) < (wave + 2) / 4
    packed = np.packbits(bits, bitorder="little").reshape(-1, 1, block)
    data = np.repeat(packed, 2, axis=1).tobytes()
    form = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 2, 2, rate, 1, count, block, 0)
    body = form + struct.pack("<4sQ", b"data", 12 + len(data)) + data
    path.write_bytes(struct.pack("<4sQQQ", b"DSD ", 28, 28 + len(body), 0) + body)
    return path


@pytest.mark.parametrize("multiple", [64, 256])
def test_dsd_is_decoded_up_to_dsd256(tmp_path, pitches, multiple):
    sound, decoder = heard(dsf(tmp_path / "a.dsf", multiple))
    assert decoder.decoded_ms == pytest.approx(500, abs=10)
    assert pitches(sound[800:7200].reshape(-1, 1))[0] == pytest.approx(440, abs=5)


@pytest.mark.parametrize("multiple", [512, 1024])
def test_faster_dsd_is_refused_before_it_is_decoded(tmp_path, multiple):
    with pytest.raises(ImpossibleFormat, match=f"2 channels at {multiple * 5512.5:,.0f} Hz"):
        probe(dsf(tmp_path / "a.dsf", multiple, seconds=0.02))
