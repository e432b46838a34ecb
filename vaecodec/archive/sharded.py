"""Shards read as one archive: their files as if they stood one after the other, the index behind them.

    place in all of them ──manifest──> file and place in it ──opened when first read, the last ones kept──> bytes

So a directory, blocks and names are what they are of one file: an image costs one request by number, and one more by
name.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress

from vaecodec.archive.directory import Directory
from vaecodec.archive.folder import Folder, open_folder
from vaecodec.archive.manifest import (
    INDEX_NAME,
    MANIFEST_NAME,
    MODEL_NAME,
    PLAN_NAME,
    Manifest,
    combined,
    directory_of,
    shard_directory,
    starts_of,
)
from vaecodec.archive.source import CLOSED, Source, is_address
from vaecodec.bitstream.archive.limits import TRAILER_BYTES
from vaecodec.errors import Closed, FormatError, Truncated

OPEN_FILES = 64  # shards that are kept open
READ_BYTES = 1 << 22  # at a time, of what is read whole
ARCHIVE_SUFFIX = ".vaea"


class ShardedSource:
    """The bytes of all shards, and of the index. size: of the shards. Threads and forks may share it."""

    def __init__(self, folder: Folder, manifest: Manifest) -> None:
        self._folder = folder
        self._files = [
            *((shard.file, shard.size_bytes) for shard in manifest.shards),
            (INDEX_NAME, manifest.index_bytes),
        ]
        self._starts = starts_of(size for _, size in self._files)
        self.size = int(self._starts[-2])
        self._open: OrderedDict[int, Source] = OrderedDict()
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._closed = False

    def read(self, offset: int, n: int) -> bytes:
        """n bytes, all of one file. Raises Truncated, where its file is gone too, OSError, Closed."""
        if self._closed:
            raise Closed(CLOSED)
        k = int(self._starts.searchsorted(offset, side="right")) - 1
        if not 0 <= k < len(self._files) or offset + n > self._starts[k + 1]:
            raise Truncated(f"shards: no {n} bytes at offset {offset} in one file")
        try:
            return self._source(k).read(offset - int(self._starts[k]), n)
        except FileNotFoundError as error:
            raise Truncated(f"{self._files[k][0]} is not there") from error
        except Truncated as error:
            raise Truncated(f"{self._files[k][0]}: {error}") from error

    def _source(self, k: int) -> Source:
        if self._process != os.getpid():  # a fork may have copied a lock that a thread of the parent's holds
            self._lock, self._process = threading.Lock(), os.getpid()
        with self._lock:
            source = self._open.get(k)
            if source is None:
                source = self._folder.source(*self._files[k])
                self._open[k] = source
                if len(self._open) > OPEN_FILES:
                    self._open.popitem(last=False)  # closed when the last thread that reads it lets it go
            else:
                self._open.move_to_end(k)
        return source

    def close(self) -> None:
        """Give the files back."""
        self._closed = True
        for source in self._open.values():
            source.close()
        self._open.clear()


class Shards:
    """The shards of a folder, open."""

    def __init__(self, folder: Folder, manifest: Manifest) -> None:
        self.folder, self.manifest = folder, manifest
        self.source = ShardedSource(folder, manifest)

    def directory(self) -> Directory:
        """Of the index, or, where that is damaged or gone, of each shard. Raises FormatError's children, OSError."""
        manifest = self.manifest
        try:
            end = manifest.index_bytes - TRAILER_BYTES
            start = end - manifest.footer_bytes
            return directory_of(manifest, self.source.read(self.source.size + start, manifest.footer_bytes))
        except FormatError as error:
            problem = f"{INDEX_NAME} is damaged or gone, the shards' own are read: {error}"
        directories = []
        for shard in manifest.shards:
            source = self.folder.source(shard.file, shard.size_bytes)
            try:
                directories.append(shard_directory(source, shard.file))
            finally:
                source.close()
        directory = combined(manifest, directories)
        directory.problems.append(problem)
        return directory

    def changed(self) -> Iterator[str]:
        """Of each shard that is not the file that the manifest says, a line. Reads everything. Raises OSError.

        Blocks do not tell their shard: two that were swapped are whole, and have each other's images.
        """
        at = 0
        for shard in self.manifest.shards:
            digest = hashlib.sha256()
            try:
                for start in range(0, shard.size_bytes, READ_BYTES):
                    digest.update(self.source.read(at + start, min(READ_BYTES, shard.size_bytes - start)))
                if digest.hexdigest() != shard.sha256:
                    yield f"{shard.file}: its SHA-256 is not the manifest's"
            except Truncated as error:
                yield str(error)
            at += shard.size_bytes

    def model_file(self) -> bytes | None:
        """The bytes of the model file that lies beside the shards; None where there is none."""
        with suppress(FileNotFoundError):
            return self.folder.read(MODEL_NAME)
        return None


def open_shards(path: str) -> Shards | None:
    """The shards at a path or address; None where no manifest lies there. Raises FormatError's children, OSError."""
    if path.endswith(ARCHIVE_SUFFIX) or not (is_address(path) or os.path.isdir(path)):
        return None
    folder = open_folder(path)
    try:
        manifest = folder.read(MANIFEST_NAME)
    except FileNotFoundError as error:
        if PLAN_NAME in folder.sizes():
            raise Truncated("shards that are not finished: vaecodec archive create … --resume goes on") from error
        return None
    return Shards(folder, Manifest.from_bytes(manifest))
