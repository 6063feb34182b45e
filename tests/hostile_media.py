"""Writes recordings that would hold a core, or all memory, of whoever decodes them trustingly."""

import struct
import wave
import zlib

import av
import numpy as np


def recording(path, codec, rate=44_100, layout="mono", seconds=2.0, **options):
    """A real recording: a tone, which no decoder has trouble with."""
    with av.open(str(path), "w", **options) as made:
        stream = made.add_stream(codec, rate=rate, layout=layout)
        count = stream.codec_context.layout.nb_channels
        at = np.arange(int(rate * seconds)) / rate
        sound = np.tile((8000 * np.sin(2 * np.pi * 300 * at)).astype(np.int16)[:, None], count)
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate, frame.pts = rate, 0
        made.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def seven_bits(number):
    return bytes([number >> shift & 127 for shift in (21, 14, 7, 0)])


def id3(frames):
    return b"ID3\4\0\0" + seven_bits(len(frames)) + frames


def text_frame(name, text):
    body = b"\0" + name + b"\0" + text
    return b"TXXX" + seven_bits(len(body)) + b"\0\0" + body


def million_frames(folder):
    """An MP3 of a million ID3 frames: 80,000 took a core 160 s."""
    sound = recording(folder / "sound.mp3", "libmp3lame").read_bytes()
    path = folder / "million-frames.mp3"
    path.write_bytes(id3(text_frame(b"k", b"v" * 9) * 1_000_000) + sound)
    return path


def tag_of_200_mb(folder):
    """An MP3 with a tag of 200 MB, which took 619 MB of memory; most of it is a hole."""
    sound = recording(folder / "sound.mp3", "libmp3lame").read_bytes()
    path = folder / "large-tag.mp3"
    with path.open("wb") as file:
        file.write(b"ID3\4\0\0" + seven_bits(200_000_000))
        file.write(b"COMM" + seven_bits(199_999_990) + b"\0\0")
        file.seek(200_000_010)
        file.write(sound)
    return path


def many_frames():
    """The frames of a tag: 50,000."""
    return b"".join(text_frame(b"k%06d" % n, b"v") for n in range(50_000))


def frames_in_a_chunk(folder):
    """A WAV whose ID3 chunk has 50,000 frames."""
    return _with_tag_in_a_chunk(folder, id3(many_frames()))


def _with_tag_in_a_chunk(folder, tag):
    path = folder / "chunk.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(32_000))
    whole = path.read_bytes() + b"id3 " + struct.pack("<I", len(tag)) + tag
    path.write_bytes(whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:])
    return path


def nine_tags(folder):
    """An MP3 with eight empty tags, and a ninth of 50,000 frames."""
    sound = recording(folder / "sound.mp3", "libmp3lame").read_bytes()
    return _written(folder / "nine.mp3", id3(b"") * 8 + id3(many_frames()) + sound)


def a_tag_in_a_tag(folder):
    """A tag that claims the whole file, with one of 50,000 frames in it."""
    inner = id3(many_frames())
    return _written(folder / "nested.mp3", b"ID3\4\0\0" + seven_bits(len(inner)) + inner)


def frames_after_padding(folder):
    """A WAV whose ID3 chunk has 50,000 frames after an empty one."""
    return _with_tag_in_a_chunk(folder, id3(bytes(20) + many_frames()))


def frames_after_an_extended_header(folder):
    """A WAV whose ID3 chunk has 50,000 frames after an extended header."""
    frames = seven_bits(12) + b"\1\0\0\0\0\0\0\0" + many_frames()
    return _with_tag_in_a_chunk(folder, b"ID3\4\0\x40" + seven_bits(len(frames)) + frames)


def frames_in_a_long_wav(folder):
    """A WAV in its form for more than 4 GB, whose ID3 chunk has 50,000 frames."""
    whole = frames_in_a_chunk(folder).read_bytes()
    sizes = struct.pack("<QQQI", len(whole) + 28, 32_000, 16_000, 0)
    rest = whole[12:].replace(b"data" + struct.pack("<I", 32_000), b"data" + b"\xff" * 4)
    head = b"RF64" + b"\xff" * 4 + b"WAVEds64" + struct.pack("<I", len(sizes)) + sizes
    return _written(folder / "long.wav", head + rest)


def frames_in_a_wav_after_a_tag(folder):
    """A tag, and then a WAV whose ID3 chunk has 50,000 frames."""
    return _written(folder / "tagged.wav", id3(b"") + frames_in_a_chunk(folder).read_bytes())


def samples_after_a_tag(folder):
    """A tag, and then an MP4 whose index has 60 million samples."""
    return _written(folder / "tagged.m4a", id3(b"") + sixty_million_samples(folder).read_bytes())


def sixty_million_samples(folder):
    """An MP4 of a few KB whose index has 60 million samples, for which ffmpeg took 2 to 4 GB."""
    whole = bytearray(recording(folder / "sound.m4a", "aac", seconds=0.2).read_bytes())
    at = whole.index(b"stsz") + 8
    whole[at : at + 8] = struct.pack(">II", 1, 60_000_000)
    return _written(folder / "samples.m4a", whole)


def index_beyond_the_memory(folder):
    """An MP4 of 8 MB, mostly a hole, whose index needs more memory than reading it may take."""
    path = sixty_million_samples(folder)
    with path.open("r+b") as file:
        file.truncate(8_000_000)
    return path


def entries_beyond_the_table(folder):
    """An MP4 whose table of chunks announces a thousand million entries."""
    whole = bytearray(recording(folder / "sound.m4a", "aac", seconds=0.2).read_bytes())
    at = whole.index(b"stco") + 8
    whole[at : at + 4] = struct.pack(">I", 1_000_000_000)
    return _written(folder / "chunks.m4a", whole)


def large_packet(folder, size=200_000_000):
    """An MP4 with a packet of that many bytes, which are a hole."""
    whole = bytearray(recording(folder / "sound.m4a", "aac", seconds=0.2).read_bytes())
    at = whole.index(b"stsz") + 8
    whole[at : at + 8] = struct.pack(">II", size, 1)
    path = _written(folder / "packet.m4a", whole)
    with path.open("r+b") as file:
        file.truncate(size + 1000)
    return path


def cover_of_144_megapixels(folder):
    """A FLAC with a picture of 12,000 x 12,000, which took 600 MB of memory."""
    plain = recording(folder / "sound.flac", "flac").read_bytes()
    side = 12_000
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(100 * (side + 1))) for _ in range(side // 100))
    image = b"\x89PNG\r\n\x1a\n"
    parts = (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    for kind, body in (parts, (b"IDAT", rows + packer.flush()), (b"IEND", b"")):
        image += struct.pack(">I", len(body)) + kind + body
        image += struct.pack(">I", zlib.crc32(kind + body))
    picture = struct.pack(">II", 3, 9) + b"image/png" + struct.pack(">I", 0)
    picture += struct.pack(">IIIII", side, side, 8, 0, len(image)) + image
    block = bytes([6]) + len(picture).to_bytes(3, "big") + picture
    return _written(folder / "cover.flac", plain[:42] + block + plain[42:])


def eight_channels_at_655_khz(folder):
    """A FLAC of eight channels at 655 kHz: 30 MB of it took seven hours of a core."""
    return recording(folder / "fast.flac", "flac", 655_350, "7.1", 0.2)


def large_cover(folder, size=40_000_000):
    """An MP4 with a cover of that many bytes, which are a hole."""
    whole = recording(folder / "sound.m4a", "aac", seconds=0.2).read_bytes()
    cover = struct.pack(">I4s", size, b"covr") + struct.pack(">I4sII", size - 8, b"data", 13, 0)
    items = struct.pack(">I4s", size + 8, b"ilst") + cover
    meta = struct.pack(">I4sI", size + 20, b"meta", 0) + items
    udta = struct.pack(">I4s", size + 28, b"udta") + meta
    moov = whole.index(b"moov") - 4
    path = folder / "cover.m4a"
    with path.open("wb") as file:  # the offsets of the samples are before the index
        file.write(whole[:moov])
        length = int.from_bytes(whole[moov : moov + 4], "big")
        file.write(struct.pack(">I", length + size + 28) + whole[moov + 4 : moov + length] + udta)
        file.truncate(moov + length + size + 28)
    return path


def hours_of_nothing(folder):
    """A Matroska of 2 s and 20 KB, whose clock jumps by five hours in the middle."""
    path = folder / "hours.mka"
    with av.open(str(path), "w") as made:
        stream = made.add_stream("libopus", rate=48_000, layout="mono")
        noise = np.random.default_rng(1).integers(-5000, 5000, (1, 96_000), np.int16)
        frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        packets = [*stream.encode(frame), *stream.encode(None)]
        for number, packet in enumerate(packets):
            if number >= len(packets) // 2:
                ticks = round(5 * 3600 / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
            made.mux(packet)
    return path


def _written(path, data):
    path.write_bytes(data)
    return path
