"""More than 8 bits a channel are told by the file, where Pillow's image says nothing."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

import vaecodec
from vaecodec.data.folder import read_picture
from vaecodec.errors import BadDataset, ImageModeError
from vaecodec.files.depth import _bits_of_avif, bits_a_channel

SIDE = 28
VALUES = (np.arange(SIDE * SIDE * 4) * 83 % 65536).astype(">u2")
DIGIT = Path(__file__).parents[2] / "examples" / "digit-7.png"


def png(channels: int, colour_type: int, bits: int = 16) -> bytes:
    rows = VALUES[: SIDE * SIDE * channels].astype(">u2" if bits == 16 else "u1").reshape(SIDE, -1)
    head = struct.pack(">IIBBBBB", SIDE, SIDE, bits, colour_type, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = [(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]
    packed = (struct.pack(">I", len(b)) + t + b + struct.pack(">I", zlib.crc32(t + b)) for t, b in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def tiff(channels: int) -> bytes:
    pixels = VALUES[: SIDE * SIDE * channels].astype("<u2").tobytes()
    depths = 8 + len(pixels)
    fields = [(256, SIDE), (257, SIDE), (259, 1), (262, 2), (273, 8), (277, channels), (278, SIDE), (279, len(pixels))]
    entries = [(258, 3, channels, depths), *((tag, 4, 1, value) for tag, value in fields)]
    if channels == 4:
        entries.append((338, 3, 1, 2))
    packed = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    directory = struct.pack("<H", len(entries)) + packed + bytes(4)
    start = depths + 2 * channels
    return b"II*\0" + struct.pack("<I", start) + pixels + struct.pack("<H", 16) * channels + directory


def sgi() -> bytes:
    planes = VALUES[: SIDE * SIDE * 3].tobytes()
    return struct.pack(">hBBHHHHll", 474, 0, 2, 3, SIDE, SIDE, 3, 0, 65535).ljust(512, b"\0") + planes


def ppm(top: int) -> bytes:
    values = VALUES[: SIDE * SIDE * 3].astype(int) % (top + 1)
    return f"P6 {SIDE} {SIDE} {top}\n".encode() + values.astype(">u2" if top > 255 else "u1").tobytes()


def plain(kind: str, mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(VALUES[: SIDE * SIDE].astype(np.uint8).reshape(SIDE, SIDE)).convert(mode).save(
        file, kind, **options
    )
    return file.getvalue()


DEEP = {
    "png of RGB": (png(3, 2), 16),
    "png of grey and alpha": (png(2, 4), 16),
    "png of RGBA": (png(4, 6), 16),
    "ppm to 65535": (ppm(65535), 16),
    "ppm to 1000": (ppm(1000), 10),
    "tiff of RGB": (tiff(3), 16),
    "tiff of RGBA": (tiff(4), 16),
    "sgi": (sgi(), 16),
}
EIGHT = {
    "png": png(3, 2, 8),
    "ppm": ppm(255),
    "ppm to 100": ppm(100),
    "bmp": plain("BMP"),
    "jpeg": plain("JPEG"),
    "tga": plain("TGA"),
    "tiff": plain("TIFF"),
    "sgi of 8 bits": plain("SGI"),
    "gif": plain("GIF", "P"),
    "webp": plain("WEBP", lossless=True),
}


@pytest.mark.parametrize("name", DEEP)
def test_16_bits_in_colour_are_found_and_refused_everywhere(name: str, tmp_path: Path) -> None:
    data, bits = DEEP[name]
    path = tmp_path / "deep.png"
    path.write_bytes(data)
    with Image.open(path) as image:
        assert bits_a_channel(image) == bits
        with pytest.raises(ImageModeError, match=f"{bits} bits"):
            vaecodec.load("mnist-lossless").compress(image, lossless=True)
    with pytest.raises(BadDataset, match=f"{bits} bits"):
        read_picture(path, resize=None, grey=False)


@pytest.mark.skipif(not features.check("jpg_2000"), reason="this Pillow has no JPEG 2000")
def test_the_depths_of_jpeg_2000_are_read(tmp_path: Path) -> None:
    data = bytearray(plain("JPEG2000"))  # of 8 bits; Pillow encodes no deeper colour, so that its header is changed
    start = data.index(b"\xff\x4f\xff\x51") + 4 + 38
    data[start : start + 9 : 3] = bytes([11]) * 3
    path = tmp_path / "deep.jp2"
    path.write_bytes(data)
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert bits_a_channel(image) == 12


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
@pytest.mark.parametrize(("flags", "bits"), [(0, 8), (0x40, 10), (0x60, 12)])
def test_the_depth_of_avif_is_read(flags: int, bits: int) -> None:
    data = bytearray(plain("AVIF"))  # of 8 bits; Pillow encodes no more, and opens no file whose boxes disagree
    data[data.index(b"av1C") + 6] |= flags
    assert _bits_of_avif(bytes(data)) == bits


@pytest.mark.parametrize("name", EIGHT)
def test_8_bits_are_8(name: str) -> None:
    with Image.open(io.BytesIO(EIGHT[name])) as image:
        assert bits_a_channel(image) == 8


def test_packed_bitmaps_of_16_bits_a_pixel_have_no_deep_channel() -> None:
    head = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54 + 2 * SIDE * SIDE, 0, 0, 54, 40, SIDE, SIDE, 1, 16, *[0] * 6)
    with Image.open(io.BytesIO(head + VALUES[: SIDE * SIDE].tobytes())) as image:
        assert "16" in str(image.tile) or "15" in str(image.tile)
        assert bits_a_channel(image) == 8


def test_a_file_is_looked_at_again_once_its_pixels_are_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    path.write_bytes(png(3, 2))
    with Image.open(path) as image:
        image.load()
        assert bits_a_channel(image) == 16
        path.unlink()
        assert bits_a_channel(image) == 8  # nothing tells any more


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_as_its_exif_says(orientation: int, tmp_path: Path) -> None:
    upright = np.array(Image.open(DIGIT).convert("L"))
    # How a camera stores it: the inverse of the turn that the orientation asks for.
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    codec = vaecodec.load("mnist-lossless")
    with Image.open(path) as image:
        np.testing.assert_array_equal(codec.decompress(codec.compress(image, lossless=True)), upright)
    np.testing.assert_array_equal(read_picture(path, resize=None, grey=False), upright)
