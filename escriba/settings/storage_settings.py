from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from .base import SettingsGroup
from .bucket_urls import check_bucket_url, check_key_file
from .field_types import AbsolutePath, HeaderKey, PlainUrl


class StorageSettings(SettingsGroup):
    """The bucket of recordings, and the credentials of its store."""

    storage_url: str = Field(
        "",
        description="Bucket: file:///folder, s3://bucket/prefix, gs://bucket/prefix or "
        "az://container/prefix. Empty: the folder ./data/bucket.",
    )
    storage_backend: Literal["local", "s3", "gcs", "azure"] = Field(
        "local",
        description="Kind of bucket where STORAGE_URL is empty: local, s3, gcs or azure. The name "
        "of the bucket comes from the setting of that store.",
    )
    s3_bucket: str = Field("", description="Bucket name for STORAGE_BACKEND=s3.")
    gcs_bucket: str = Field("", description="Bucket name for STORAGE_BACKEND=gcs.")
    azure_container: str = Field("", description="Container name for STORAGE_BACKEND=azure.")
    aws_endpoint_url: PlainUrl = Field(
        "", description="S3: endpoint of a store other than AWS, such as MinIO."
    )
    aws_virtual_hosts: bool = Field(
        default=False,
        description="S3: whether the bucket's name is part of the host name, as some stores demand "
        "(bucket.host/key instead of host/bucket/key).",
    )
    aws_region: str = Field("us-east-1", description="S3: region of the bucket.")
    aws_access_key_id: HeaderKey = Field(
        SecretStr(""),
        description="S3: access key. Empty: AWS's default chain (profile, container, instance).",
    )
    aws_secret_access_key: SecretStr = Field(
        SecretStr(""), description="S3: secret of the access key."
    )
    aws_session_token: HeaderKey = Field(SecretStr(""), description="S3: session token, if any.")
    google_application_credentials: str = Field(
        "",
        description="GCS: path of a service account's key file. Empty: Google's default chain.",
    )
    gcs_endpoint_url: PlainUrl = Field(
        "", description="GCS: endpoint of another server, for tests."
    )
    azure_storage_account: str = Field("", description="Azure: name of the storage account.")
    azure_storage_key: SecretStr = Field(
        SecretStr(""), description="Azure: key of the storage account."
    )
    azure_login: Literal["key", "identity"] = Field(
        "key",
        description="Azure: how to log in. `key`: with AZURE_STORAGE_KEY. `identity`: with the "
        "machine's managed identity, AZURE_CLIENT_ID and its secret, or your `az login`.",
    )
    azure_endpoint_url: PlainUrl = Field(
        "", description="Azure: endpoint of another server, such as Azurite."
    )
    storage_ca_file: AbsolutePath | None = Field(
        None,
        description="File of certificates (PEM) to trust for the store's TLS, in addition to the "
        "usual ones: for a store with a certificate of your own authority.",
    )
    unproven_store: Literal["refuse", "accept"] = Field(
        "refuse",
        description="What to do if the store lets two clients create one object, or cannot create "
        "conditionally. `refuse`: no paid backend gets a job, since a job may be paid for twice "
        "there. `accept`: take that risk.",
    )
    files_url: str = Field(
        "",
        description="URL at which browsers reach the files of the bucket. `escriba up` sets it; "
        "behind a proxy, set it yourself.",
    )

    # before the check of every setting, whose advice is less exact
    @field_validator("storage_url", mode="before")
    @classmethod
    def _holds_no_credentials(cls, url: object) -> object:
        return check_bucket_url(url) if isinstance(url, str) else url

    @field_validator("google_application_credentials", mode="before")
    @classmethod
    def _is_a_path(cls, path: object) -> object:
        return check_key_file(path) if isinstance(path, str) else path

    @property
    def bucket_url(self) -> str:
        """STORAGE_URL, or the URL that STORAGE_BACKEND and the bucket's name give."""
        if self.storage_url:
            return self.storage_url
        if self.storage_backend == "s3":
            return f"s3://{self.s3_bucket}"
        if self.storage_backend == "gcs":
            return f"gs://{self.gcs_bucket}"
        if self.storage_backend == "azure":
            return f"az://{self.azure_container}"
        return Path("data/bucket").absolute().as_uri()
