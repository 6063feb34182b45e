"""The result of one check of `escriba doctor`."""

from typing import Literal

from pydantic import BaseModel


class Finding(BaseModel):
    """One checked item. state: `odd` means that it works but deserves attention."""

    what: str
    state: Literal["well", "odd", "broken"]
    found: str
    advice: str = ""
