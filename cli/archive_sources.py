"""The images of `archive create` and `append`: standard input as a list of files, and files read some at a time.

What a source means, and how a piece of it is read, is vaecodec/sharding/sources.py.
"""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from vaecodec.archive.shards import SourceImage
from vaecodec.sharding.sources import FilePiece, files_of, is_set, name_of, open_set, read_file

from .files import STANDARD
from .mirror import say_linked


def read_sources(
    sources: Iterable[str], *, jobs: int, named: bool, strip: bool, data_dir: str | None
) -> Iterator[SourceImage]:
    """Every image of the sources, in order, reading `jobs` files at a time. Raises DataError, ImageError, OSError.

    named: with the files' names. strip: without the files' ICC profiles, EXIF and XMP.
    """
    read = partial(read_file, named=named, strip=strip)
    for source in sources:
        if is_set(source):
            found = open_set(source, data_dir or "")
            yield from found.some(0, len(found), named=named, strip=strip)
        elif source == STANDARD:
            yield from _read_files((FilePiece(line, name_of(line)) for line in lines()), jobs, read)
        else:
            yield from _read_files(files_of(source, say_linked), jobs, read)


def lines() -> Iterator[str]:
    """Of standard input, as file names: bytes that are no text stay what they are."""
    if sys.stdin is None:
        return
    for line in sys.stdin.buffer:
        if stripped := line.rstrip(b"\r\n"):
            yield os.fsdecode(stripped)


def _read_files(
    pieces: Iterable[FilePiece], jobs: int, read: Callable[[FilePiece], SourceImage]
) -> Iterator[SourceImage]:
    """In order, with a bounded number of files ahead: Pillow decodes outside Python's lock."""
    if jobs == 1:
        yield from map(read, pieces)
        return
    with ThreadPoolExecutor(jobs) as pool:
        ahead: deque[Future[SourceImage]] = deque()
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
