"""Any folder with a manifest can be measured; its clips are joined from a seed."""

import json

import av
import numpy as np
import pytest

from bench.quality_sets import read_cases
from bench.voiced import voiced
from bench.worker_bucket import RATE_HZ, write


@pytest.fixture
def speech(tmp_path):
    """Three clips of two speakers, one in which nobody speaks, and one with turns alone."""
    folder = tmp_path / "speech"
    lines = []
    for name, speaker, reference in [
        ("set/one.flac", "ana", "um dois"),
        ("set/two.flac", "rui", "três"),
        ("set/three.flac", "ana", "quatro"),
        ("rain.flac", "", ""),
    ]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write(folder / name, [np.full((1, RATE_HZ), 1000, np.int16)])
        fields = {"file": name, "language": "pt", "speaker": speaker, "reference": reference}
        lines.append(json.dumps(fields))
    (folder / "manifest.jsonl").write_text("\n".join(lines))
    write(folder / "talk.wav.flac", [np.zeros((1, RATE_HZ), np.int16)])
    (folder / "talk.wav.flac").rename(folder / "talk.flac")
    line = "SPEAKER talk 1 {} 0.5 <NA> <NA> {} <NA> <NA>\n"
    (folder / "talk.rttm").write_text(line.format(0, "a") + line.format(0.5, "b"))
    return folder


def seconds(path):
    with av.open(str(path)) as container:
        return sum(frame.samples for frame in container.decode(audio=0)) / RATE_HZ


def test_clips_stand_alone_and_joined_with_the_pauses_of_each_layout(speech, tmp_path):
    cases = {case.name: case for case in read_cases(speech, tmp_path, quick=False)}
    assert set(cases) == {
        *("set__one.flac", "set__two.flac", "set__three.flac", "rain.flac", "talk.flac"),
        *("set-pt-tight.flac", "set-pt-gaps.flac", "set-pt-sparse.flac"),
    }
    assert seconds(cases["set-pt-tight.flac"].audio) == 3
    assert 5 <= seconds(cases["set-pt-gaps.flac"].audio) <= 9
    assert 23 <= seconds(cases["set-pt-sparse.flac"].audio) <= 63


def test_references_are_joined_in_the_order_of_the_clips_with_their_speakers(speech, tmp_path):
    joined = next(c for c in read_cases(speech, tmp_path, quick=True) if c.layout == "gaps")
    assert joined.reference == "um dois três quatro"
    assert joined.speakers == 2


def test_turns_leave_out_the_quiet_at_both_ends_of_a_clip():
    dice = np.random.default_rng(1)
    loud = (3000 * dice.normal(size=RATE_HZ)).astype(np.int16)
    quiet = (10 * dice.normal(size=RATE_HZ)).astype(np.int16)
    click = np.zeros(RATE_HZ // 50, np.int16) + 20_000

    low, high = voiced(np.concatenate([click, quiet, loud, quiet, loud, quiet]))
    assert (low / RATE_HZ, high / RATE_HZ) == pytest.approx((1.02, 4.02), abs=0.021)
    assert voiced(loud[:200]) == (0, 200)


def test_turns_of_joined_clips_follow_one_another(speech, tmp_path):
    joined = next(c for c in read_cases(speech, tmp_path, quick=False) if c.layout == "tight")
    assert joined.turns == [(0, 1, "ana"), (1, 2, "rui"), (2, 3, "ana")]


def test_the_same_seed_joins_the_same_and_another_one_otherwise(speech, tmp_path):
    def order(seed):
        folder = tmp_path / str(seed)
        folder.mkdir(exist_ok=True)
        cases = read_cases(speech, folder, quick=False, seed=seed)
        return [case.reference + str(seconds(case.audio)) for case in cases]

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_an_rttm_beside_audio_makes_it_a_recording_with_turns(speech, tmp_path):
    talk = next(c for c in read_cases(speech, tmp_path, quick=False) if c.name == "talk.flac")
    assert (talk.layout, talk.speakers, talk.reference) == ("turns", 2, "")


def test_a_folder_without_a_manifest_and_a_broken_line_are_named(speech, tmp_path):
    with pytest.raises(SystemExit, match=r"has no manifest\.jsonl"):
        read_cases(tmp_path / "nowhere", tmp_path, quick=True)
    with (speech / "manifest.jsonl").open("a") as manifest:
        manifest.write('\n{"file": "x.wav"}')
    with pytest.raises(SystemExit, match=r"manifest\.jsonl, line 5: KeyError 'reference'"):
        read_cases(speech, tmp_path, quick=True)
