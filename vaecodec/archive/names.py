"""Finding images by name, and names by number, without holding all of them.

name ──SHA-256, 4 bytes──> page of the names' table (one read of 4 KB) ──> numbers ──> block, which has the name itself
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from vaecodec.archive.blocks import Blocks
from vaecodec.archive.directory import Directory, NamesTable
from vaecodec.archive.source import Source
from vaecodec.bitstream.archive.columns import encode_name, unpack_names
from vaecodec.bitstream.archive.index import name_hash, page_bytes, table_bytes, unpack_page
from vaecodec.bitstream.archive.limits import NAMES_PER_PAGE
from vaecodec.bitstream.archive.record import RECORD_CHECK_BYTES
from vaecodec.errors import BadField, FormatError, NotCanonical, WrongType

KEPT_BLOCKS = 64


def whole_number(value: Any, what: str) -> int:
    """Python's own, of any kind of whole number. Raises WrongType, which says what it was to be."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise WrongType(f"{what}: expected a whole number, found {type(value).__name__}") from error


def number_within(count: int, number: Any) -> int:
    """The number of one of `count` images; negative ones count from the end. Raises IndexError, WrongType."""
    place = whole_number(number, "image number")
    if not -count <= place < count:
        raise IndexError(f"image {place}: the archive has {count}")
    return place % count


class Names(Sequence[str | None]):
    """The name of each image, None where it has none. Reads blocks as they are asked for."""

    def __init__(self, source: Source, directory: Directory, blocks: Blocks) -> None:
        self._source = source
        self._directory = directory
        self._blocks = blocks
        self._kept: dict[int, tuple[str | None, ...]] = {}

    def __len__(self) -> int:
        return self._directory.images

    @overload
    def __getitem__(self, key: int) -> str | None: ...
    @overload
    def __getitem__(self, key: slice) -> list[str | None]: ...
    def __getitem__(self, key: int | slice) -> str | list[str | None] | None:
        """Raises IndexError, WrongType, Closed, FormatError where the name is damaged."""
        if isinstance(key, slice):
            return [self[number] for number in range(*key.indices(len(self)))]
        number = number_within(len(self), key)
        k = self._directory.block_of(number)
        return self.of_block(k)[number - int(self._directory.firsts[k])]

    def __iter__(self) -> Iterator[str | None]:
        for number in range(len(self)):
            yield self[number]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.find(name) is not None

    def forget(self) -> None:
        """Give back what is kept."""
        self._kept.clear()

    def of_block(self, k: int) -> tuple[str | None, ...]:
        """The names of block number k. Raises FormatError's children."""
        names = self._kept.get(k)
        if names is None:
            names = self._read(k)
            while len(self._kept) >= KEPT_BLOCKS:
                self._kept.pop(next(iter(self._kept)), None)
            self._kept[k] = names
        return names

    def _read(self, k: int) -> tuple[str | None, ...]:
        try:
            block = self._blocks.read(k)
        except FormatError:
            names = self._blocks.names_of_lost(k)
            if names is None:
                raise
            return names
        return (None,) * block.count if block.names is None else unpack_names(block.names, block.count)

    def find(self, name: str) -> int | None:
        """The number of the first image of this name; None if there is none.

        Where the index is damaged, the names of the images before what it finds are read. Raises WrongType.
        """
        damaged = not self._directory.indexed
        try:
            key = name_hash(encode_name(name))
        except FormatError:  # no image is called so
            return None
        found = None
        for table in self._directory.tables:
            try:
                numbers = self._numbers_of(table, key)
            except FormatError:
                damaged = True
                continue
            found = next((number for number in numbers if self._is_named(number, name)), None)
            if found is not None:
                break
        return self._searched(name, found) if damaged else found

    def _numbers_of(self, table: NamesTable, key: int) -> list[int]:
        """The images of a segment whose names have this hash, rising."""
        hashes = table.page_hashes
        # Equal hashes may run over several pages; the first of them may stand at the end of the page before.
        first = max(int(np.searchsorted(hashes, key, side="left")) - 1, 0)
        last = int(np.searchsorted(hashes, key, side="right"))
        numbers: list[int] = []
        for page in range(first, last):
            keys = self.page(table, page)
            low, high = np.searchsorted(keys >> np.uint64(32), [key, key + 1])
            numbers += [table.first_image + int(k & np.uint64(0xFFFFFFFF)) for k in keys[low:high]]
        return sorted(numbers)

    def page(self, table: NamesTable, page: int) -> npt.NDArray[np.uint64]:
        """The keys of a page, hash · 2^32 + number in the segment, rising. Raises FormatError's children."""
        offset, size = table.place
        whole, rest = divmod(table.named, NAMES_PER_PAGE)
        page_size = page_bytes(NAMES_PER_PAGE, table.number_bytes)
        # Counted from the record's end, so that no damage to its frame matters.
        body_bytes = table_bytes(table.named, table.number_bytes)
        start = offset + size - RECORD_CHECK_BYTES - body_bytes + page * page_size
        entries = NAMES_PER_PAGE if page < whole else rest
        keys = unpack_page(self._source.read(start, page_bytes(entries, table.number_bytes)), table.number_bytes)
        hashes = keys >> np.uint64(32)
        following = table.page_hashes[page + 1 : page + 2]
        if hashes[0] != table.page_hashes[page] or (hashes[-1] > following).any():
            raise NotCanonical(f"names' table: the hashes of page {page} are not those that the footer says")
        if ((keys & np.uint64(0xFFFFFFFF)) >= table.images).any():
            raise BadField(f"names' table: page {page} has a number beyond the segment's {table.images} images")
        return keys

    def _is_named(self, number: int, name: str) -> bool:
        try:
            return number < len(self) and self[number] == name
        except FormatError:
            return False

    def _searched(self, name: str, found: int | None) -> int | None:
        """The first image of this name before `found`, which is one, or of all; `found` if there is none."""
        for k, first in enumerate(self._directory.firsts.tolist()):
            if found is not None and first >= found:
                break
            try:
                names = self.of_block(k)
            except FormatError:
                continue
            if name in names:
                return int(first) + names.index(name)
        return found
