"""Classical codecs: round trips, and what their headers are."""

import io

import numpy as np
import pytest
from PIL import Image

from vaecodec.errors import BadField, BadMagic, FormatError, Truncated
from vaecodec.evaluation.classical import available_formats, classical_codecs
from vaecodec.evaluation.distortion import psnr_of_set
from vaecodec.evaluation.headers import payload_bytes

CODECS = classical_codecs()


def soft_disc(side):
    y, x = np.mgrid[:side, :side]
    return np.clip(40 * (0.35 * side - np.hypot(y - 0.45 * side, x - 0.55 * side)), 0, 255).astype(np.uint8)


def two_values(side):
    return np.where(soft_disc(side) > 99, 255, 0).astype(np.uint8)


def by_name(codec):
    return f"{codec.name} {codec.setting}"


@pytest.mark.parametrize("side", [28, 64])
@pytest.mark.parametrize("codec", CODECS, ids=by_name)
def test_decode_inverts_encode(codec, side):
    for image in (
        soft_disc(side),
        np.where(soft_disc(side) > 99, 255, 0).astype(np.uint8),
        np.zeros((side, side), np.uint8),
    ):
        data = codec.encode(image)
        decoded = codec.decode(data)
        assert decoded.dtype == np.uint8
        assert decoded.shape == image.shape
        assert 0 <= codec.payload_size(data) < len(data)
        if codec.lossless:
            np.testing.assert_array_equal(decoded, image)
        else:
            assert psnr_of_set(image[None], decoded[None]) > 12


@pytest.mark.parametrize("codec", CODECS, ids=by_name)
def test_every_cut_file_is_a_format_error_or_counts_less(codec):
    data = codec.encode(soft_disc(28))
    whole = codec.payload_size(data)
    for length in range(len(data)):
        try:
            assert codec.payload_size(data[:length]) <= whole
        except FormatError:
            continue


def test_pillow_has_the_formats_of_the_comparison():
    assert available_formats() >= {"PNG", "JPEG", "WEBP", "AVIF", "JPEG2000"}
    assert {codec.name for codec in classical_codecs(["PNG", "WebP"])} == {"PNG", "WebP"}


def test_a_png_of_two_values_has_one_bit_a_pixel():
    (png,) = classical_codecs(["PNG"])
    data = png.encode(two_values(64))
    assert Image.open(io.BytesIO(data)).mode == "1"


def test_a_png_without_its_headers_is_its_idat():
    (png,) = classical_codecs(["PNG"])
    data = png.encode(soft_disc(28))
    # signature 8, IHDR 25, the frame of IDAT 12, IEND 12
    assert png.payload_size(data) == len(data) - 57


def test_a_lossy_webp_has_30_bytes_of_headers():
    webp = next(codec for codec in classical_codecs(["WebP"]) if not codec.lossless)
    data = webp.encode(soft_disc(28))
    # RIFF 12, chunk frame 8, frame tag and start code and size 10, padding 0 or 1
    assert len(data) - webp.payload_size(data) in (30, 31)


def test_jpeg_scans_count_stuffing_but_no_markers():
    scan = b"\x12\xff\x00\x34\xff\xd0\x56"
    data = b"\xff\xd8" + b"\xff\xdb\x00\x04ab" + b"\xff\xda\x00\x03c" + scan + b"\xff\xd9"
    assert payload_bytes("JPEG", data) == len(scan)


def test_jpeg_2000_counts_the_same_with_and_without_its_boxes():
    picture = Image.fromarray(soft_disc(64))
    sizes = []
    for bare in (True, False):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG2000", no_jp2=bare)
        sizes.append(payload_bytes("JPEG2000", buffer.getvalue()))
    assert sizes[0] == sizes[1] > 0


@pytest.mark.parametrize("image_format", ["AVIF", "JPEG", "JPEG2000", "JXL", "PNG", "WEBP"])
def test_another_format_is_a_bad_magic(image_format):
    with pytest.raises(BadMagic):
        payload_bytes(image_format, b"GIF89a, and it goes on for some more bytes")


def test_a_format_without_a_rule_is_named():
    with pytest.raises(BadField, match="'BMP'"):
        payload_bytes("BMP", b"BM")


def test_a_cut_png_is_truncated():
    (png,) = classical_codecs(["PNG"])
    with pytest.raises(Truncated):
        png.payload_size(png.encode(soft_disc(28))[:-1])


@pytest.mark.parametrize(
    ("image_format", "data"),
    [
        ("JPEG", b"\xff\xd8\xff\xdb\x00\x00"),
        ("JPEG2000", b"\xff\x4f\xff\x51\x00\x01"),
        ("JPEG2000", b"\xff\x4f\xff\x90\x00\x0a\x00\x00\x00\x00\x00\x04\x00\x01\xff\x93"),
        ("AVIF", b"\x00\x00\x00\x08ftyp\x00\x00\x00\x07mdat"),
    ],
)
def test_a_length_less_than_its_own_field_is_a_bad_field(image_format, data):
    with pytest.raises(BadField):
        payload_bytes(image_format, data)
