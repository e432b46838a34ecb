"""Makes the index and the manifest of shards that are all there: the last step, after which they are one archive.

shards ──each one's footer and names' table, some at a time──> spool ──sorted──> index.vaei ──> manifest.json
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vaecodec.archive.blocks import Blocks
from vaecodec.archive.directory import FIRST_READ_BYTES, Directory
from vaecodec.archive.folder import Folder
from vaecodec.archive.manifest import (
    INDEX_NAME,
    MANIFEST_NAME,
    MAX_SHARDED_IMAGES,
    Manifest,
    Shard,
    blocks_at,
    shard_directory,
)
from vaecodec.archive.models import ArchiveModels
from vaecodec.archive.names import Names
from vaecodec.archive.shards import ShardRecord, shard_name
from vaecodec.archive.source import Source
from vaecodec.archive.spool import IndexSpool
from vaecodec.bitstream.archive.index import pack_footer
from vaecodec.bitstream.archive.limits import HEADER_BYTES
from vaecodec.bitstream.archive.record import pack_trailer
from vaecodec.errors import LimitExceeded, NotCanonical

NAME_BYTES = 8  # of a name in a shard's table, its share of checks and of the footer among them, at most
READERS = 16  # shards whose footers are read at a time: a store answers each after some milliseconds
A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True, eq=False)
class _Own:
    """A shard's own directory, and the keys of its names, hash · 2^32 + number in the shard."""

    directory: Directory
    keys: npt.NDArray[np.uint64]


def make_manifest(folder: Folder, records: Sequence[ShardRecord]) -> Manifest:
    """Write the index and the manifest of these shards, in order, one of the plan each.

    Raises NotCanonical where a shard is not as it was written, LimitExceeded, OSError.
    """
    if sum(record.written.images for record in records) > MAX_SHARDED_IMAGES:
        raise LimitExceeded(f"shards: more than {MAX_SHARDED_IMAGES} images")
    spool = IndexSpool()
    try:
        first: Directory | None = None
        shards, done = [], 0
        for record, own in zip(records, _ahead(lambda one: _read(folder, one), records), strict=True):
            directory = own.directory
            first = first or directory
            if directory.models != first.models or directory.images != record.written.images:
                raise NotCanonical(f"{shard_name(record.shard)}: not a shard of this plan")
            spool.add_blocks(directory.counts, directory.lengths)
            spool.add_keys(own.keys + np.uint64(done))
            done += directory.images
            name = shard_name(record.shard)
            shards.append(Shard(name, directory.images, record.size_bytes, blocks_at(directory), record.sha256))
        assert first is not None  # a plan has a shard
        index_bytes, footer_bytes = publish_index(folder, spool, done)
    finally:
        spool.close()
    (model,) = first.models.values()
    assert model.record is not None  # as it was written
    columns = {record.written.label_columns for record in records if record.written.images}
    manifest = Manifest(
        plan=records[0].plan,
        fingerprint=model.fingerprint.hex(),
        model_record=model.record,
        embedded=model.embedded,
        metadata=first.metadata,
        label_columns=columns.pop() if len(columns) == 1 else None,
        index_bytes=index_bytes,
        footer_bytes=footer_bytes,
        shards=tuple(shards),
    )
    folder.publish(MANIFEST_NAME, manifest.to_bytes())
    return manifest


class _EndAtOnce:
    """A source whose last bytes are read together, in one request, and then kept."""

    def __init__(self, source: Source, end_bytes: int) -> None:
        self.size = source.size
        self._source, self._start = source, max(0, source.size - end_bytes)
        self._end = source.read(self._start, source.size - self._start)

    def read(self, offset: int, n: int) -> bytes:
        """n bytes at an offset. Raises Truncated, OSError."""
        if self._start <= offset and offset + n <= self.size:
            return self._end[offset - self._start : offset - self._start + n]
        return self._source.read(offset, n)

    def close(self) -> None:
        """Give the source back."""
        self._source.close()


def _read(folder: Folder, record: ShardRecord) -> _Own:
    file = folder.source(shard_name(record.shard), record.size_bytes)
    try:
        if file.size != record.size_bytes:
            raise NotCanonical(f"{shard_name(record.shard)}: {file.size} bytes, its record says {record.size_bytes}")
        source = _EndAtOnce(file, FIRST_READ_BYTES + NAME_BYTES * record.written.images)
        directory = shard_directory(source, shard_name(record.shard))
        blocks = Blocks(source, directory, ArchiveModels(source, directory, ()), 0)
        names = Names(source, directory, blocks)
        keys = [names.page(table, page) for table in directory.tables for page in range(len(table.page_hashes))]
    finally:
        file.close()
    return _Own(directory, np.concatenate(keys) if keys else np.empty(0, np.uint64))


def publish_index(folder: Folder, spool: IndexSpool, images: int) -> tuple[int, int]:
    """Write the index of the blocks and names in the spool: its bytes, and those of its footer's record."""
    with tempfile.TemporaryDirectory(prefix="vaecodec-") as place:
        path = os.path.join(place, INDEX_NAME)
        with open(path, "wb") as file:

            def write(data: bytes) -> None:
                file.write(data)

            footer = spool.footer(
                write,
                start=HEADER_BYTES,
                first_image=0,
                images=images,
                first_model=0,
                models=(),
                metadata_bytes=0,
            )
            record = pack_footer(footer)
            write(record + pack_trailer(len(record)))
        folder.publish_file(INDEX_NAME, path)
        return os.path.getsize(path), len(record)


def _ahead(function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
    """function(item) of each, in order, of which a bounded number is made or waits."""
    with ThreadPoolExecutor(READERS) as pool:
        waiting: deque[Future[B]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
