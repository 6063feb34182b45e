"""Base types of requests, results and leases."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

CONTRACT_VERSION = 1

Milliseconds = Annotated[int, Field(ge=0)]


class Contract(BaseModel):
    """Base of every part of the contract: frozen, and open to fields of a later minor version."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Address(Contract):
    """One permitted HTTP request on one object: a worker sends exactly this and knows no cloud.

    `url` is https:// (presigned), http:// on loopback, or file:// for the local backend. With
    `If-None-Match: *` among the headers of a PUT, the object is created, never replaced.
    `drafts`, for file:// only: a folder on the same disk that holds an object until it is
    complete; the store cleans it up. A killed worker leaves no partial object among the others.
    """

    method: Literal["GET", "PUT"]
    url: str = Field(repr=False)
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    drafts: str = ""


class SpeechRegion(Contract):
    """A stretch of one channel that holds speech."""

    start_ms: Milliseconds
    end_ms: Milliseconds
    channel: int = Field(0, ge=0)
