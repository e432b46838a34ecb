"""The names of a block's images and a segment's table of names (sections 13.2 and 13.4)."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

from tests.independent.checks import crc32
from tests.independent.cursor import Cursor
from tests.independent.records import CHECK_BYTES
from tests.independent.refusal import Refused, require

NAMES_PER_PAGE = 512
MAX_IMAGE_NAME_BYTES = 4096


def read_names(section: bytes, images: int) -> list[str]:
    """The names of a block's images, from the section that ends with its CRC-32."""
    require(len(section) >= CHECK_BYTES, "Truncated", "names")
    written, check = section[:-CHECK_BYTES], section[-CHECK_BYTES:]
    require(crc32(written) == int.from_bytes(check, "little"), "BadChecksum", "names")
    cursor = Cursor(written)
    names: list[str] = []
    before = b""
    for _ in range(images):
        shared = cursor.uvarint("bytes that a name shares")
        require(shared <= len(before), "BadField", f"a name shares {shared} bytes")
        rest = cursor.take(cursor.uvarint("bytes of a name"), "a name")
        name = before[:shared] + rest
        require(1 <= len(name) <= MAX_IMAGE_NAME_BYTES, "BadField", f"a name of {len(name)} bytes")
        longer = bool(rest) and shared < len(before) and before[shared] == rest[0]
        require(not longer, "NotCanonical", "a name shares more bytes than it says")
        names.append(decoded(name))
        before = name
    cursor.end("names")
    return names


def decoded(name: bytes) -> str:
    """UTF-8."""
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("BadField", "a name that is no UTF-8") from error


def hash_of(name: str) -> int:
    """The hash that the table is sorted by."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8")).digest()[:4], "little")


def number_bytes(images: int) -> int:
    """Bytes of a number less the first of the segment."""
    return max(1, ((images - 1).bit_length() + 7) // 8)


def table_bytes(entries: int, images: int) -> int:
    """The length of a table of so many entries."""
    return entries * (4 + number_bytes(images)) + CHECK_BYTES * -(-entries // NAMES_PER_PAGE)


class NamesTable:
    """A segment's table: finds the numbers, within the segment, that a name's hash has."""

    def __init__(self, body: bytes, entries: int, page_hashes: Sequence[int], images: int) -> None:
        self._body = body
        self._images = images
        self._entries = entries
        self._page_hashes = page_hashes
        self._number_bytes = number_bytes(images)

    def numbers(self, name: str) -> list[int]:
        """Numbers of the images that may have the name, the lowest first."""
        wanted = hash_of(name)
        found = []
        for page, first in enumerate(self._page_hashes):
            if first <= wanted and (page + 1 == len(self._page_hashes) or wanted <= self._page_hashes[page + 1]):
                found += [number for hashed, number in self._page(page) if hashed == wanted]
        return found

    def _page(self, page: int) -> list[tuple[int, int]]:
        """Hash and number of each entry. Refuses a page that is not sorted, or not as the footer says."""
        entries = self._read_page(page)
        require(all(a < b for a, b in pairwise(entries)), "NotCanonical", "entries that do not rise")
        require(entries[0][0] == self._page_hashes[page], "NotCanonical", "another first hash than the footer says")
        following = self._page_hashes[page + 1 : page + 2]
        require(all(entries[-1][0] <= first for first in following), "NotCanonical", "pages that do not rise")
        require(all(number < self._images for _, number in entries), "BadField", "a number beyond the segment")
        return entries

    def _read_page(self, page: int) -> list[tuple[int, int]]:
        width = 4 + self._number_bytes
        entries = min(NAMES_PER_PAGE, self._entries - page * NAMES_PER_PAGE)
        cursor = Cursor(self._body, page * (NAMES_PER_PAGE * width + CHECK_BYTES))
        written = cursor.take(entries * width, "a page of names")
        require(cursor.unsigned(CHECK_BYTES, "a page's check") == crc32(written), "BadChecksum", "a page of names")
        page_cursor = Cursor(written)
        return [(page_cursor.unsigned(4, "hash"), page_cursor.unsigned(width - 4, "number")) for _ in range(entries)]
