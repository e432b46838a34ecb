"""The images of `archive create` and `append`: standard input as a list of files, and files read some at a time.

What a source means is vaecodec/sharding/sources.py. A file that cannot be read is told, and the rest goes on.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from vaecodec.archive.shards import SourceImage
from vaecodec.errors import ConfigError, VaecodecError
from vaecodec.sharding import sources as meaning
from vaecodec.sharding.sources import FilePiece, is_set, name_of, open_set, read_file

from .files import STANDARD
from .mirror import say_linked

if TYPE_CHECKING:
    from vaecodec.codec.window import WindowLike


@dataclass(frozen=True, slots=True)
class Unread:
    """A file of which no picture could be read, and why."""

    path: str
    error: VaecodecError | OSError


def read_sources(
    sources: Iterable[str],
    *,
    jobs: int,
    named: bool,
    strip: bool,
    data_dir: str | None,
    window: WindowLike | None = None,
) -> Iterator[SourceImage | Unread]:
    """Every image of the sources, in order, reading `jobs` files at a time. Raises DataError, OSError.

    named: with the files' names. strip: without the files' ICC profiles, EXIF and XMP. window: for files of more than 8
    bits a pixel.
    """
    read = partial(_read_file, named=named, strip=strip, window=window)
    for source in sources:
        if is_set(source):
            found = open_set(source, data_dir or "")
            yield from found.some(0, len(found), named=named, strip=strip, window=window)
        elif source == STANDARD:
            yield from _read_files((FilePiece(line, name_of(line)) for line in lines()), jobs, read)
        else:
            yield from _read_files(meaning.files_meant(source, say_linked), jobs, read)


def files_of(sources: Iterable[str]) -> Iterator[str]:
    """The image files that the sources mean, for whoever looks at them before they are read.

    Raises ConfigError for standard input, which is read once, and for data sets; DatasetMissing.
    """
    for source in sources:
        if source == STANDARD:
            raise ConfigError("one window: a list on standard input is read once; name the files, or their folder")
        if is_set(source):
            raise ConfigError(f"{source}: one window is found of image files; give the two numbers of a data set's")
        yield from (piece.path for piece in meaning.files_meant(source, say_linked))


def lines() -> Iterator[str]:
    """Of standard input, as file names: bytes that are no text stay what they are."""
    if sys.stdin is None:
        return
    for line in sys.stdin.buffer:
        if stripped := line.rstrip(b"\r\n"):
            yield os.fsdecode(stripped)


def _read_files(
    pieces: Iterable[FilePiece], jobs: int, read: Callable[[FilePiece], SourceImage | Unread]
) -> Iterator[SourceImage | Unread]:
    """In order, with a bounded number of files ahead: Pillow decodes outside Python's lock."""
    if jobs == 1:
        yield from map(read, pieces)
        return
    with ThreadPoolExecutor(jobs) as pool:
        ahead: deque[Future[SourceImage | Unread]] = deque()
        try:
            for piece in pieces:
                ahead.append(pool.submit(read, piece))
                if len(ahead) > 4 * jobs:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _read_file(piece: FilePiece, *, named: bool, strip: bool, window: WindowLike | None) -> SourceImage | Unread:
    try:
        return read_file(piece, named=named, strip=strip, window=window)
    except (VaecodecError, OSError) as error:
        return Unread(piece.path, error)
