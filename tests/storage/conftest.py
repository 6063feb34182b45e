import pytest

from pipelines.settings import load_settings
from resources.storage import open_storage


@pytest.fixture(params=["file", "s3"])
def storage(request, tmp_path):
    """Every store there is, one after another."""
    if request.param == "file":
        return open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))
    return open_storage(request.getfixturevalue("s3").settings)
