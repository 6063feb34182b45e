"""What a recorder can give: its channels times its samples a second."""

from typing import Final

from .header_errors import ImpossibleFormat

# 64 channels of a mixing desk at 48 kHz have 3.1 million, 8 at 192 kHz 1.5 million
MOST_VALUES_A_SECOND: Final = 3_500_000


def check_format(rate_hz: int, channels: int) -> None:
    """Raises ImpossibleFormat for more values a second than any recorder gives."""
    if rate_hz * channels > MOST_VALUES_A_SECOND:
        raise ImpossibleFormat(f"the file announces {channels} channels at {rate_hz:,} Hz")
