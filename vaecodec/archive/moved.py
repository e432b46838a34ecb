"""Blocks that are whole but do not stand where the index says: swapped, or shifted by others of another length.

block k fails at its place ──> scan its file, once ──> a whole block of these images ──> its place
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
    """Looks for blocks anywhere in their file, which is read once at the most, and only where something is damaged."""

    def __init__(self, source: Source, directory: Directory) -> None:
        self._source = source
        self._directory = directory
        self._found: dict[int, dict[Numbers, Span]] = {}

    def find(self, k: int) -> Span | None:
        """Where block number k of the directory stands; None if nowhere."""
        file = self._directory.file_of(k)
        if file not in self._found:
            found: dict[Numbers, Span] = {}
            for block in self._blocks(file):
                found.setdefault((block.first, block.count), (block.offset, block.record_bytes))
            self._found[file] = found
        return self._found[file].get(self._directory.numbers_in_file(k))

    def _blocks(self, file: int) -> Iterator[Found]:
        fingerprints = {number: place.fingerprint for number, place in self._directory.models.items()}
        starts = [*self._directory.file_starts.tolist(), self._source.size]
        try:
            for record in scan(self._source.read, starts[file], starts[file + 1], fingerprints.values()):
                if record.kind & KIND_BLOCK and fingerprints.get(record.model) == record.fingerprint:
                    yield record
        except LimitExceeded:  # a forger's file: what was found until then counts
            return
