"""What is left of a classical codec's file when its headers are taken off: the bytes that carry this one image.

    payload_bytes("WEBP", whole file) -> int

    PNG       counts the data of the IDAT chunks; off: signature, IHDR, PLTE, the frame of every chunk, IEND
    JPEG      counts the scans' entropy-coded bytes with their stuffing; off: every marker segment (JFIF, all tables)
    WEBP      counts VP8 partitions, VP8L bits, alpha; off: RIFF, chunk frames, padding, VP8 (10 B) or VP8L (5 B) header
    AVIF      counts the bodies of the `mdat` boxes; off: every other ISO-BMFF box
    JPEG2000  counts the tile-part bodies after SOD; off: JP2 boxes, main header, tile-part headers, EOC
    JXL       counts the codestream less 3 bytes; off: container boxes, signature (2 B), size header (9 to 15 bits)

JPEG's Huffman tables are made for the image, so its stripped size is below what any decoder could work with; JPEG XL's
frame header is not aligned to bytes and stays in. Where in doubt, the rule favours the classical codec.
"""

from collections.abc import Callable

from vaecodec.bitstream.reader import Reader
from vaecodec.errors import BadField, BadMagic

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JP2_SIGNATURE = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
_JXL_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"
_JXL_HEADER_BYTES = 3
_WEBP_IMAGE_HEADERS = {b"VP8 ": 10, b"VP8L": 5, b"ALPH": 1}


def payload_bytes(image_format: str, data: bytes) -> int:
    """Bytes of `data` that are no header; `image_format` is Pillow's name of it, as in the table above.

    Raises BadField for a format without a rule, FormatError where `data` is not a file of the format.
    """
    if image_format not in _RULES:
        raise BadField(f"image format {image_format!r}: expected one of {', '.join(sorted(_RULES))}")
    return _RULES[image_format](data)


def _png(data: bytes) -> int:
    reader = Reader(data)
    _expect(reader, _PNG_SIGNATURE, "PNG signature")
    total = 0
    while reader.remaining:
        length = _big(reader, 4, "chunk length")
        kind = bytes(reader.take(4, "chunk type"))
        reader.take(length, "chunk data")
        reader.take(4, "chunk check")
        total += length if kind == b"IDAT" else 0
    return total


def _jpeg(data: bytes) -> int:
    reader = Reader(data)
    _expect(reader, b"\xff\xd8", "JPEG start of image")
    total = 0
    while True:
        marker = _big(reader, 2, "marker")
        if marker == 0xFFD9:
            return total
        _segment(reader)
        if marker == 0xFFDA:
            scan = _scan_bytes(data[len(data) - reader.remaining :])
            reader.take(scan, "scan")
            total += scan


def _scan_bytes(data: bytes) -> int:
    """Length of the entropy-coded bytes at the start: up to a marker that is neither stuffing nor a restart."""
    at = data.find(b"\xff")
    while at >= 0:
        following = data[at + 1 : at + 2]
        if following and following[0] != 0 and not 0xD0 <= following[0] <= 0xD7:
            return at
        at = data.find(b"\xff", at + 2)
    return len(data)


def _webp(data: bytes) -> int:
    reader = Reader(data)
    _expect(reader, b"RIFF", "RIFF signature")
    reader.take(4, "RIFF size")
    _expect(reader, b"WEBP", "WebP signature")
    total = 0
    while reader.remaining:
        kind = bytes(reader.take(4, "chunk type"))
        length = int.from_bytes(reader.take(4, "chunk length"), "little")
        reader.take(length + length % 2, "chunk")
        total += max(0, length - _WEBP_IMAGE_HEADERS[kind]) if kind in _WEBP_IMAGE_HEADERS else 0
    return total


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """(type, body) of each top-level ISO-BMFF box."""
    reader = Reader(data)
    boxes = []
    while reader.remaining:
        length, kind, header = _big(reader, 4, "box length"), bytes(reader.take(4, "box type")), 8
        if length == 1:
            length, header = _big(reader, 8, "long box length"), 16
        body = reader.remaining if length == 0 else length - header
        if body < 0:
            raise BadField(f"box {kind!r}: length {length} is less than its header")
        boxes.append((kind, bytes(reader.take(body, "box body"))))
    return boxes


def _avif(data: bytes) -> int:
    if data[4:8] != b"ftyp":
        raise BadMagic("not an AVIF file: no ftyp box at offset 0")
    return sum(len(body) for kind, body in _boxes(data) if kind == b"mdat")


def _jpeg2000(data: bytes) -> int:
    if data.startswith(_JP2_SIGNATURE):
        data = b"".join(body for kind, body in _boxes(data) if kind == b"jp2c")
    reader = Reader(data)
    _expect(reader, b"\xff\x4f", "JPEG 2000 start of codestream")
    total = 0
    while True:
        marker = _big(reader, 2, "marker")
        if marker == 0xFFD9:
            return total
        segment = _segment(reader)
        if marker != 0xFF90:  # start of tile-part: its length counts from the marker on, 0 means up to the end
            continue
        part = int.from_bytes(segment[2:6], "big")
        end = reader.offset - 4 - len(segment) + part if part else len(data) - 2
        while _big(reader, 2, "tile-part marker") != 0xFF93:
            _segment(reader)
        if end < reader.offset:
            raise BadField(f"tile-part: ends at offset {end}, inside its own header")
        total += len(reader.take(end - reader.offset, "tile-part body"))


def _jxl(data: bytes) -> int:
    if data.startswith(_JXL_CONTAINER):
        # A partial codestream box, jxlp, begins with its four-byte number.
        parts = [body if kind == b"jxlc" else body[4:] for kind, body in _boxes(data) if kind in (b"jxlc", b"jxlp")]
        data = b"".join(parts)
    _expect(Reader(data), b"\xff\x0a", "JPEG XL signature")
    return max(0, len(data) - _JXL_HEADER_BYTES)


def _segment(reader: Reader) -> memoryview:
    """Body of a JPEG or JPEG 2000 marker segment, whose length counts its own two bytes."""
    length = _big(reader, 2, "segment length")
    if length < 2:
        raise BadField(f"segment length at offset {reader.offset - 2}: expected 2 or more, found {length}")
    return reader.take(length - 2, "segment")


def _big(reader: Reader, size: int, what: str) -> int:
    return int.from_bytes(reader.take(size, what), "big")


def _expect(reader: Reader, wanted: bytes, what: str) -> None:
    found = bytes(reader.take(len(wanted), what))
    if found != wanted:
        raise BadMagic(f"{what}: expected {wanted.hex()} at offset {reader.offset - len(wanted)}, found {found.hex()}")


_RULES: dict[str, Callable[[bytes], int]] = {
    "AVIF": _avif,
    "JPEG": _jpeg,
    "JPEG2000": _jpeg2000,
    "JXL": _jxl,
    "PNG": _png,
    "WEBP": _webp,
}
