"""Blocks that are whole but do not stand where the index says: swapped, or shifted by others of another length.

block k fails at its place ──> scan the file, once ──> a whole block of these images ──> its place
"""

from __future__ import annotations

from collections.abc import Iterator

from vaecodec.archive.directory import Directory, Span
from vaecodec.archive.source import Source
from vaecodec.bitstream.archive.limits import KIND_BLOCK
from vaecodec.bitstream.archive.scan import Found, scan
from vaecodec.errors import LimitExceeded

Numbers = tuple[int, int]  # first image, images


class MovedBlocks:
    """Looks for blocks anywhere in the file, which is read once at the most, and only where something is damaged."""

    def __init__(self, source: Source, directory: Directory) -> None:
        self._source = source
        self._directory = directory
        self._found: dict[Numbers, Span] | None = None

    def find(self, k: int) -> Span | None:
        """Where block number k of the directory stands; None if nowhere."""
        if self._found is None:
            found: dict[Numbers, Span] = {}
            for block in self._blocks():
                found.setdefault((block.first, block.count), (block.offset, block.record_bytes))
            self._found = found
        return self._found.get((int(self._directory.firsts[k]), int(self._directory.counts[k])))

    def _blocks(self) -> Iterator[Found]:
        fingerprints = {number: place.fingerprint for number, place in self._directory.models.items()}
        try:
            for record in scan(self._source.read, 0, self._source.size, fingerprints.values()):
                if record.kind & KIND_BLOCK and fingerprints.get(record.model) == record.fingerprint:
                    yield record
        except LimitExceeded:  # a forger's file: what was found until then counts
            return
