import av
import pytest

from escriba.audio.audio_errors import NotAudio
from escriba.audio.decode import decode_blocks
from escriba.audio.probe import probe

FFCONCAT = "ffconcat version 1.0\nfile 'good.wav'\n"
M3U8 = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:5,\n{folder}/good.ts\n#EXT-X-ENDLIST\n"
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT5S"><Period><AdaptationSet mimeType="audio/mp4">'
    '<Representation id="1" bandwidth="1"><BaseURL>good.m4a</BaseURL></Representation>'
    "</AdaptationSet></Period></MPD>"
)


@pytest.fixture
def folder(make, tmp_path):
    """Holds good recordings, which a script beside them may name."""
    make("good.wav", "pcm_s16le", 16_000, "mono", seconds=1)
    make("good.ts", "aac", seconds=1)
    make("good.m4a", "aac", seconds=1)
    return tmp_path


@pytest.mark.parametrize(
    "script", [FFCONCAT, M3U8, SDP, DASH], ids=["ffconcat", "m3u8", "sdp", "mpd"]
)
@pytest.mark.parametrize("name", ["x.mp3", "x.m3u8", "x.ffconcat", "x.wav"])
def test_a_script_that_names_another_file_is_not_audio(script, name, folder):
    path = folder / name
    path.write_text(script.format(folder=folder))
    with pytest.raises(NotAudio):
        probe(path)
    with pytest.raises(NotAudio):
        next(decode_blocks(path, channels="mixed", stop=lambda: False))


@pytest.mark.parametrize(("script", "ending"), [(FFCONCAT, "ffconcat"), (M3U8, "m3u8")])
def test_without_the_whitelist_ffmpeg_would_follow_them(script, ending, folder):
    path = folder / f"x.{ending}"
    path.write_text(script.format(folder=folder))
    with av.open(str(path)) as container:
        assert next(container.decode(audio=0)).samples


def test_a_quicktime_file_that_refers_to_another_gives_nothing_of_it(make, folder):
    path = make("refers.mov", "pcm_s16le", 16_000, "mono")
    content = path.read_bytes()
    here = b"url \0\0\0\1"  # the sound is in this file
    assert here in content
    path.write_bytes(content.replace(here, b"url \0\0\0\0"))
    decoder = decode_blocks(path, channels="mixed", stop=lambda: False)
    assert sum(len(block) for block in decoder) == 80_000
