"""What images become grey without loss, and which are refused with a remedy."""

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaecodec.codec import images
from vaecodec.codec.images import grey_pixels, read_grey
from vaecodec.errors import ImageError, ImageModeError, UnreadableImage
from vaecodec.limits import Limits

GREY = (np.arange(35) * 7).astype(np.uint8).reshape(5, 7)
COLOUR = np.stack([GREY, GREY, GREY // 2], axis=-1)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def with_alpha(image: Image.Image, alpha: np.ndarray) -> Image.Image:
    image = image.copy()
    image.putalpha(Image.fromarray(alpha))
    return image


OPAQUE, CLEAR = np.full((5, 7), 255, np.uint8), np.full((5, 7), 254, np.uint8)
PLAIN = Image.fromarray(GREY)
KEPT = {
    "L": PLAIN,
    "P of greys": PLAIN.convert("P"),
    "RGB": PLAIN.convert("RGB"),
    "RGBA opaque": with_alpha(PLAIN.convert("RGB"), OPAQUE),
    "LA opaque": with_alpha(PLAIN, OPAQUE),
}
REFUSED = {
    "RGB of colours": (Image.fromarray(COLOUR), "colour"),
    "P of colours": (Image.fromarray(COLOUR).convert("P"), "colour"),
    "RGBA transparent": (with_alpha(PLAIN.convert("RGB"), CLEAR), "transparent"),
    "LA transparent": (with_alpha(PLAIN, CLEAR), "transparent"),
    "I;16": (Image.fromarray(GREY.astype(np.uint16) * 257), "I;16"),
}


@pytest.mark.parametrize("name", KEPT)
def test_what_is_grey_is_kept_exactly(name: str) -> None:
    np.testing.assert_array_equal(read_grey(saved(KEPT[name])), GREY)
    np.testing.assert_array_equal(grey_pixels(KEPT[name]), GREY)


def test_one_bit_becomes_black_and_white() -> None:
    bits = GREY > 100
    np.testing.assert_array_equal(read_grey(saved(Image.fromarray(bits))), bits * np.uint8(255))


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_something_is_refused_with_the_reason(name: str) -> None:
    image, reason = REFUSED[name]
    with pytest.raises(ImageModeError, match=reason):
        read_grey(saved(image))


REMEDIES = {
    "I": "--window minmax",
    "F": "--window minmax",
    "CMYK": "profile",
    "YCbCr": "convert it",
    "HSV": "convert it",
}


@pytest.mark.parametrize("mode", REMEDIES)
def test_other_modes_are_refused_with_the_remedy(mode: str) -> None:
    image = PLAIN.convert("RGB").convert(mode) if mode in ("CMYK", "YCbCr", "HSV") else PLAIN.convert(mode)
    with pytest.raises(ImageModeError, match=REMEDIES[mode]):
        grey_pixels(image)


def test_a_transparent_grey_level_of_a_png_is_refused_only_where_it_is_used() -> None:
    with pytest.raises(ImageModeError, match="transparent"):
        read_grey(saved(PLAIN, transparency=int(GREY[2, 2])))
    np.testing.assert_array_equal(read_grey(saved(PLAIN, transparency=255)), GREY)


def test_several_frames_are_refused() -> None:
    frames = [PLAIN, Image.fromarray(255 - GREY)]
    for kind in ("GIF", "TIFF"):
        with pytest.raises(ImageModeError, match="several frames"):
            read_grey(saved(frames[0], kind, save_all=True, append_images=frames[1:]))


def test_a_broken_file_is_unreadable() -> None:
    whole = saved(PLAIN).getvalue()
    for data in (b"", b"hello", whole[:20], whole[: len(whole) // 2], whole[:45] + bytes(20) + whole[65:]):
        with pytest.raises(UnreadableImage):
            read_grey(io.BytesIO(data))


def test_a_huge_image_is_refused_before_it_is_decoded() -> None:
    header = saved(PLAIN).getvalue()
    for side in (5000, 2**30):
        sized = side.to_bytes(4, "big") * 2
        chunk = b"IHDR" + sized + header[24:29]
        data = header[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + header[33:]
        with pytest.raises(UnreadableImage):
            read_grey(io.BytesIO(data))


def test_the_limit_is_on_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "limits", lambda: Limits(image_pixels=34))
    with pytest.raises(UnreadableImage, match="5x7 pixels: too large"):
        read_grey(saved(PLAIN))


def test_a_path_is_read_and_a_missing_one_is_an_os_error(tmp_path: Path) -> None:
    PLAIN.save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_grey(str(tmp_path / "grey.png")), GREY)
    with pytest.raises(FileNotFoundError):
        read_grey(str(tmp_path / "missing.png"))


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (GREY.astype(np.float32), ImageModeError),
        (GREY.astype(np.uint16), ImageModeError),
        (COLOUR, ImageModeError),
        (GREY.ravel(), ImageError),
        (GREY[..., None], ImageError),
    ],
)
def test_an_array_that_is_not_grey_is_refused(array: np.ndarray, error: type[Exception]) -> None:
    with pytest.raises(error):
        grey_pixels(array)


def test_an_array_with_three_equal_channels_is_grey() -> None:
    np.testing.assert_array_equal(grey_pixels(np.repeat(GREY[..., None], 3, axis=2)), GREY)
