"""Reads and decodes the packets of a track, and counts the damaged ones."""

import errno
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import av
from av import AudioFrame

from .open_audio import AudioSource

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

PACKETS_PER_CHECK: Final = 1024  # a file of damaged packets has no blocks, but must stop too


class PacketReader:
    """Decodes the packets of the chosen track.

    Attributes:
        packets: Packets read so far.
        bad_packets: Packets that could not be decoded; their audio is missing.
        broken_by: The error that ended reading before the end of the file, if any.
    """

    def __init__(self, check_stop: Callable[[], None]) -> None:
        """`check_stop` is called every PACKETS_PER_CHECK packets, and may raise."""
        self.packets = self.bad_packets = 0
        self.broken_by = ""
        self._check_stop = check_stop

    def frames(self, source: AudioSource) -> Iterator[AudioFrame]:
        """The frames of all packets that can be decoded."""
        for packet in self._packets(source):
            try:
                frames = packet.decode()
            except av.FFmpegError as error:
                if error.errno == errno.ENOMEM:  # a limit of the process, not a damaged packet
                    raise
                self.bad_packets += 1
                continue
            yield from frames

    def _packets(self, source: AudioSource) -> "Iterator[Packet[AudioStream]]":
        try:
            for packet in source.container.demux(source.stream):
                self.packets += 1
                if self.packets % PACKETS_PER_CHECK == 0:
                    self._check_stop()
                yield packet
        except av.FFmpegError as error:
            if error.errno == errno.ENOMEM:
                raise
            self.broken_by = str(error)
        except IndexError:  # PyAV 18.1, after the last packet, if a stream appeared midway
            return
