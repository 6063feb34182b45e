"""What can name a speech model. One of the hub goes into paths: it is held to the hub's rules."""

import pytest

from escriba.model_names import check_model, model_named


@pytest.mark.parametrize("name", ["a/..", "owner/.hidden", "owner/a b", "owner/", "o\x1b/name"])
def test_what_is_no_repository_of_the_hub_is_refused(name):
    with pytest.raises(ValueError, match="is neither a folder nor"):
        check_model(name)


def test_repositories_and_short_names_are_taken():
    assert model_named("Systran/faster-whisper-small.en").repository.endswith("small.en")
    assert model_named("small").repository == "Systran/faster-whisper-small"
