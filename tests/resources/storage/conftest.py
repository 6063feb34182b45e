import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from escriba.settings import load_settings
from resources.storage import open_storage
from tests.resources.storage.gcs_server import Bucket, GcsServer
from tests.resources.storage.servers import azurite, rclone, service_account

STORES = ["file", "s3", "gcs", "azure"]
EMAIL = "escriba@project.iam.gserviceaccount.com"
# the account that every Azurite has, from Microsoft's documentation
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)


@pytest.fixture(params=STORES)
def storage(request, tmp_path):
    """Every store there is, one after another."""
    if request.param == "file":
        return open_storage(load_settings(storage_url=(tmp_path / "bucket").as_uri()))
    return open_storage(request.getfixturevalue(request.param).settings)


@pytest.fixture(params=STORES[1:])
def cloud(request):
    """The settings of each store that is no folder."""
    return request.getfixturevalue(request.param).settings


@pytest.fixture(scope="session")
def google_key():
    """A service account's private key."""
    return new_key()


@pytest.fixture(scope="session")
def key_file(google_key, tmp_path_factory):
    """The same as Google gives it."""
    return write_key_file(google_key, tmp_path_factory.mktemp("google"))


@pytest.fixture(scope="session")
def stranger_file(tmp_path_factory):
    """A key that Google does not know, of the same service account."""
    return write_key_file(new_key(), tmp_path_factory.mktemp("stranger"))


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def write_key_file(key, folder):
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / "service-account.json"
    file.write_text(service_account(pem.decode(), EMAIL))
    return file


@pytest.fixture(scope="session")
def gcs_server(google_key):
    """A Google Cloud Storage on loopback that checks who asks."""
    with GcsServer(google_key.public_key(), EMAIL) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def gcs(gcs_server, key_file):
    """A new bucket: its settings, and what is in it."""
    name = f"escriba-{uuid4().hex[:12]}"
    bucket = gcs_server.buckets[name] = Bucket()
    settings = load_settings(
        storage_url=f"gs://{name}/some/prefix",
        gcs_endpoint_url=gcs_server.url,
        google_application_credentials=str(key_file),
    )
    return SimpleNamespace(bucket=bucket, name=name, settings=settings)


@pytest.fixture(scope="session")
def azurite_server():
    """Azure Blob Storage on loopback; it checks signatures and their end."""
    with azurite() as url:
        yield url


@pytest.fixture
def azure(azurite_server):
    """A new container: its settings, and a client of Microsoft's to look at it."""
    name = f"escriba-{uuid4().hex[:12]}"
    client = BlobServiceClient(f"{azurite_server}/{ACCOUNT}", credential=ACCOUNT_KEY)
    container = client.create_container(name)
    settings = load_settings(
        storage_url=f"az://{name}/some/prefix",
        azure_endpoint_url=f"{azurite_server}/{ACCOUNT}",
        azure_storage_account=ACCOUNT,
        azure_storage_key=ACCOUNT_KEY,
    )
    yield SimpleNamespace(container=container, name=name, settings=settings)
    client.close()


@pytest.fixture(scope="session")
def strict_s3_server(tmp_path_factory):
    """An S3 server that checks signatures and their end, with one bucket called `bucket`."""
    folder = tmp_path_factory.mktemp("rclone")
    (folder / "bucket").mkdir()
    with rclone(folder, "key", "the-secret") as url:
        yield url
