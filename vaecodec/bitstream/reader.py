"""Reader and Writer: the bounds-checked cursor that every record is parsed with, and its twin.

    bytes --Reader.u8/u16/u32/uvarint/take--> fields --Writer.u8/u16/u32/uvarint/raw--> bytes

Numbers are little-endian. Nothing is allocated before its length has been compared with what is there.
"""

from vaecodec.bitstream.limits import MAX_UVARINT_BYTES
from vaecodec.errors import LimitExceeded, NotCanonical, TrailingData, Truncated

Buffer = bytes | bytearray | memoryview


class Reader:
    """A cursor over bytes; each method reads one field, `what` names it in error messages.

    Raises Truncated where the bytes end too early, TrailingData in `end` where they go on.
    """

    __slots__ = ("_data", "_pos")

    def __init__(self, data: Buffer) -> None:
        self._data = memoryview(data).cast("B")
        self._pos = 0

    @property
    def offset(self) -> int:
        """Bytes read so far."""
        return self._pos

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._pos

    def take(self, n: int, what: str) -> memoryview:
        """The next n bytes, not copied."""
        end = self._pos + n
        if end > len(self._data):
            raise Truncated(f"{what}: need {n} bytes at offset {self._pos}, have {self.remaining}")
        chunk = self._data[self._pos : end]
        self._pos = end
        return chunk

    def u8(self, what: str) -> int:
        """One byte."""
        return self.take(1, what)[0]

    def u16(self, what: str) -> int:
        """Two bytes, little-endian."""
        return int.from_bytes(self.take(2, what), "little")

    def u32(self, what: str) -> int:
        """Four bytes, little-endian."""
        return int.from_bytes(self.take(4, what), "little")

    def uvarint(self, what: str) -> int:
        """LEB128: 7 bits a byte, lowest first, bit 7 set on every byte but the last; 0 .. 2**63 - 1.

        Raises NotCanonical for a last byte of zero (a shorter form exists), LimitExceeded beyond 9 bytes.
        """
        start, value = self._pos, 0
        for i in range(MAX_UVARINT_BYTES):
            byte = self.u8(what)
            value |= (byte & 0x7F) << (7 * i)
            if byte < 0x80:
                if byte == 0 and i > 0:
                    raise NotCanonical(f"{what}: number at offset {start} ends in a zero byte")
                return value
        raise LimitExceeded(f"{what}: number at offset {start} is longer than {MAX_UVARINT_BYTES} bytes")

    def end(self, what: str) -> None:
        """Check that nothing is left."""
        if self.remaining:
            raise TrailingData(f"{what}: ends at offset {self._pos}, but {self.remaining} bytes follow")


class Writer:
    """Appends fields; out-of-range numbers raise OverflowError, which is our own bug, never the input's."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def raw(self, data: Buffer) -> None:
        """Bytes as they are."""
        self._data += data

    def u8(self, value: int) -> None:
        """One byte."""
        self._data += value.to_bytes(1, "little")

    def u16(self, value: int) -> None:
        """Two bytes, little-endian."""
        self._data += value.to_bytes(2, "little")

    def u32(self, value: int) -> None:
        """Four bytes, little-endian."""
        self._data += value.to_bytes(4, "little")

    def uvarint(self, value: int) -> None:
        """LEB128 in its shortest form."""
        if not 0 <= value < 1 << 7 * MAX_UVARINT_BYTES:
            raise OverflowError(f"uvarint: {value} is not in 0 .. 2**63 - 1")
        while value >= 0x80:
            self._data.append(value & 0x7F | 0x80)
            value >>= 7
        self._data.append(value)

    def __len__(self) -> int:
        return len(self._data)

    def getvalue(self) -> bytes:
        """All that was written."""
        return bytes(self._data)
