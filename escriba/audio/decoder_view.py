"""A file as the decoder sees it: without its name, its leading tags and its pictures.

ffmpeg would guess by the extension, which may be wrong, and would read and decode tags and
pictures, which are of no use here and can be made to take all memory.
"""

import errno
import os
from typing import TYPE_CHECKING, BinaryIO

from .flac_metadata import without_pictures
from .id3_tags import check_no_tag, check_tags, end_of_tags

if TYPE_CHECKING:
    from collections.abc import Callable


class DecoderView:
    """The bytes from `start`, after those of `head`; a file object for ffmpeg."""

    def __init__(self, file: BinaryIO, start: int = 0, head: bytes = b"") -> None:
        self._file, self._start, self._head = file, start, head
        self._position = 0
        file.seek(start)
        self.read: Callable[[int], bytes] = self._read if head else file.read

    def _read(self, size: int) -> bytes:
        if self._position < len(self._head):
            data = self._head[self._position : self._position + size]
        else:
            data = self._file.read(size)
        self._position += len(data)
        return data

    def tell(self) -> int:
        """The position in what the decoder sees."""
        return self._position if self._head else self._file.tell() - self._start

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Damaged headers seek impossible offsets: this is an error of ffmpeg, not of the disk."""
        try:
            return self._seek(offset, whence)
        except (OSError, OverflowError) as error:
            if isinstance(error, OSError) and error.errno != errno.EINVAL:
                raise
            return -errno.EINVAL

    def _seek(self, offset: int, whence: int) -> int:
        added = len(self._head) - self._start
        if whence == os.SEEK_END:
            position = self._file.seek(offset, os.SEEK_END) + added
        else:
            position = offset + (self.tell() if whence == os.SEEK_CUR else 0)
            if position < 0:
                return -errno.EINVAL
            self._file.seek(max(position - added, self._start))
        self._position = position
        return position


def without_tags(file: BinaryIO) -> DecoderView:
    """The file from the end of its leading tags.

    Raises:
        TagTooLarge: They are larger than any program writes.
    """
    check_tags(file)
    start = end_of_tags(file)
    check_no_tag(file, start)
    return DecoderView(file, start)


def decoder_view(file: BinaryIO) -> DecoderView:
    """What the decoder may see of a file whose tags were looked at."""
    start = end_of_tags(file)
    plain = without_pictures(file, start)
    return DecoderView(file, plain.frames_at, plain.head) if plain else DecoderView(file, start)
