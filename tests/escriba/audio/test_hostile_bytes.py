import io
import random
from contextlib import closing, suppress

import pytest

from escriba.audio.audio_errors import AudioRefused
from escriba.audio.decode import decode_blocks
from escriba.audio.decoder_view import DecoderView

FILES = [
    ("a.mp3", "libmp3lame"),
    ("a.m4a", "aac"),
    ("a.wav", "pcm_s16le"),
    ("a.flac", "flac"),
    ("a.ogg", "libopus"),
    ("a.webm", "libopus"),
    ("a.aiff", "pcm_s16be"),
    ("a.caf", "pcm_s16le"),
    ("a.ts", "aac"),
    ("a.avi", "libmp3lame"),
]
BLOCKS_ENOUGH = 20  # a damaged header may promise hours


def damaged(content, dice):
    changed = bytearray(content)
    for _ in range(dice.choice([1, 10, 100])):
        place = dice.choice([dice.randrange(min(600, len(changed))), dice.randrange(len(changed))])
        changed[place] = dice.choice([0, 255, dice.randrange(256)])
    return bytes(changed)


@pytest.mark.parametrize(("name", "codec"), FILES, ids=[name for name, _ in FILES])
def test_damaged_bytes_are_decoded_or_refused_and_nothing_else(name, codec, make):
    path = make(name, codec, 48_000, "mono", seconds=2)
    whole, dice = path.read_bytes(), random.Random(name)
    for _ in range(15):
        path.write_bytes(damaged(whole, dice))
        decoder = decode_blocks(path, channels="separate", stop=lambda: False)
        with closing(decoder), suppress(AudioRefused):
            for _, block in zip(range(BLOCKS_ENOUGH), decoder, strict=False):
                assert block.shape[0] > 0


def test_an_impossible_sample_rate_is_refused_before_it_fills_the_memory(make):
    path = make("a.wav", "pcm_s16le", 16_000, "mono")
    content = bytearray(path.read_bytes())
    content[24:28] = (2_000_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(AudioRefused, match="2,000,000,000 Hz"):
        next(decode_blocks(path, channels="mixed", stop=lambda: False))


def test_a_seek_to_an_impossible_place_is_an_answer_and_no_exception(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    with path.open("rb", buffering=0) as file:
        nameless = DecoderView(file)
        assert nameless.seek(1) == 1
        assert nameless.seek(-5) < 0
        assert nameless.seek(1 << 80) < 0


def test_a_failing_disk_is_not_taken_for_a_bad_file():
    class Failing(io.BytesIO):
        def seek(self, *_):
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        DecoderView(Failing()).seek(0)
