"""Cursor: reads fields from bytes and never beyond their end.

bytes  [ done | position → … end )
"""

from tests.independent.refusal import Refused, require

MAX_UVARINT_BYTES = 9


class Cursor:
    """A position in bytes."""

    def __init__(self, data: bytes | memoryview, start: int = 0) -> None:
        self._data = memoryview(data)
        self.position = start

    def left(self) -> int:
        """Bytes that are not read yet."""
        return len(self._data) - self.position

    def take(self, size: int, what: str) -> bytes:
        """The next `size` bytes."""
        require(
            0 <= size <= self.left(), "Truncated", f"{what}: {size} bytes at {self.position}, there are {self.left()}"
        )
        self.position += size
        return bytes(self._data[self.position - size : self.position])

    def unsigned(self, size: int, what: str) -> int:
        """A little-endian integer of `size` bytes."""
        return int.from_bytes(self.take(size, what), "little")

    def uvarint(self, what: str) -> int:
        """7 bits a byte, the lowest first; at most 9 bytes; the last is not zero unless it is the only one."""
        value = 0
        for index in range(MAX_UVARINT_BYTES):
            byte = self.unsigned(1, what)
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                require(byte > 0 or index == 0, "NotCanonical", f"{what}: a uvarint with a zero at its end")
                return value
        raise Refused("BadField", f"{what}: a uvarint of more than {MAX_UVARINT_BYTES} bytes")

    def end(self, what: str) -> None:
        """Refuses bytes that are left over."""
        require(self.left() == 0, "TrailingData", f"{what}: {self.left()} bytes too many")
