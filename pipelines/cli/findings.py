"""What a look of the doctor finds."""

from typing import Literal

from pydantic import BaseModel


class Finding(BaseModel):
    """One thing that was looked at. `odd` works, and somebody should know."""

    what: str
    state: Literal["well", "odd", "broken"]
    found: str
    advice: str = ""
