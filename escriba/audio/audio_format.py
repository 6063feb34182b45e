"""What a recorder can give: its channels times its samples a second."""

from typing import Final

from .header_errors import ImpossibleFormat

# 128 channels of a mixing desk at 48 kHz have 6.1 million
MOST_VALUES_A_SECOND: Final = 7_000_000
MOST_HZ: Final = 1_411_200  # DSD256, a byte of which is a sample; DSD512 took more than 256 MB
# 30 MB of a FLAC of 8 channels at 655 kHz took seven hours of a core
MANY_CHANNELS, MOST_HZ_OF_MANY = 6, 400_000


def check_format(rate_hz: int, channels: int) -> None:
    """Raises ImpossibleFormat for more values a second than any recorder gives."""
    is_odd = channels > MANY_CHANNELS and rate_hz > MOST_HZ_OF_MANY
    if is_odd or rate_hz > MOST_HZ or rate_hz * channels > MOST_VALUES_A_SECOND:
        raise ImpossibleFormat(f"the file announces {channels} channels at {rate_hz:,} Hz")
