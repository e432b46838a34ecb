"""Every picture that Pillow opens comes through as it looks, with what comes with it, or is refused by name."""

import io
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from tests.codec.mixed import (
    ALPHA,
    COLOUR,
    CONTAINERS,
    EXACT,
    GREY,
    HEIGHT,
    MODES,
    REFUSED,
    RGB,
    WIDTH,
    mixed_folder,
    shown,
    with_alpha,
)
from vaecodec.codec import picture as module
from vaecodec.codec.metadata import saving_options
from vaecodec.codec.picture import Picture, as_picture, read_picture, to_pil
from vaecodec.errors import ImageError, ImageModeError, ImageSizeError, UnreadableImage, WrongType
from vaecodec.limits import Limits

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def saved(image: Image.Image, kind: str, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, kind, **EXACT.get(kind, {}), **options)
    file.seek(0)
    return file


def shown_of(picture: Picture) -> np.ndarray:
    return np.asarray(to_pil(picture).convert("RGBA"))


def test_a_mixed_folder_comes_through_as_it_looks_or_is_refused_by_name(tmp_path: Path) -> None:
    paths = mixed_folder(tmp_path)
    assert len(paths) > 70
    taken = 0
    for path in paths:
        with Image.open(path) as image, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of this very conversion
            mode = image.mode
            want = None if mode in REFUSED or mode.startswith("I;16") else shown(image)
        if want is None:
            with pytest.raises(ImageModeError, match=mode):
                read_picture(path)
            continue
        np.testing.assert_array_equal(shown_of(read_picture(path)), want, err_msg=path.name)
        taken += 1
    assert taken > 60


@pytest.mark.parametrize("mode", sorted(set(MODES) - REFUSED))
def test_images_in_memory_come_through_as_they_look(mode: str) -> None:
    image = MODES[mode]
    got = as_picture(image)
    np.testing.assert_array_equal(shown_of(got), np.asarray(image.convert("RGB").convert("RGBA"))
                                  if mode in ("YCbCr", "HSV") else shown(image))  # fmt: skip
    assert got.pixels.shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("mode", sorted(REFUSED))
def test_what_would_be_lost_is_refused_and_the_remedy_loses_nothing_unasked(mode: str) -> None:
    with pytest.raises(ImageModeError, match=mode) as caught:
        as_picture(MODES[mode])
    assert ("--window minmax" if mode[0] in "IF" else "first") in str(caught.value)
    assert "convert('" not in str(caught.value)  # which would clip to 255, or forget the profile


def test_grey_is_what_agrees_and_comes_back_grey() -> None:
    for image in (GREY, GREY.convert("RGB"), MODES["P of greys"], RGB.convert("1")):
        picture = as_picture(image)
        assert picture.grey
        assert to_pil(picture).mode == "L"
    assert not as_picture(RGB).grey
    assert to_pil(as_picture(with_alpha(GREY))).mode == "LA"
    nearly = np.repeat(np.zeros((600, 5, 1), np.uint8), 3, axis=2)
    nearly[-1, -1, 2] = 1
    assert not as_picture(nearly).grey


def test_grey_with_a_profile_of_rgb_comes_back_as_rgb() -> None:
    picture = read_picture(saved(GREY.convert("RGB"), "PNG", icc_profile=SRGB))
    assert picture.grey
    assert to_pil(picture).mode == "RGB"


def test_an_opaque_alpha_is_none_and_one_that_is_not_is_kept() -> None:
    opaque = RGB.copy()
    opaque.putalpha(255)
    assert as_picture(opaque).alpha is None
    np.testing.assert_array_equal(as_picture(with_alpha(RGB)).alpha, ALPHA)
    np.testing.assert_array_equal(as_picture(np.dstack([COLOUR, ALPHA])).alpha, ALPHA)


@pytest.mark.parametrize("mode", ["L", "RGB", "1"])
def test_a_transparent_colour_is_alpha(mode: str) -> None:
    image = RGB.convert(mode)
    key = image.getpixel((3, 3))
    file = saved(image, "PNG", transparency=key)
    with Image.open(file) as opened:
        want = shown(opened)
    got = read_picture(file)
    assert got.alpha is not None
    assert got.alpha[3, 3] == 0
    np.testing.assert_array_equal(shown_of(got), want)


@pytest.mark.parametrize("kind", [kind for kind in ("PNG", "WEBP", "TIFF", "JPEG", "AVIF") if kind in CONTAINERS])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied_and_the_kept_exif_is_upright(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "a maker"
    plain = read_picture(saved(RGB, kind))
    turned = read_picture(saved(RGB, kind, exif=exif.tobytes() if kind != "TIFF" else exif))
    with Image.open(saved(Image.fromarray(plain.pixels), "PNG", exif=exif.tobytes())) as image:
        want = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(turned.pixels, want)
    kept = Image.Exif()
    kept.load(turned.chunks["exif"])
    assert kept.get(0x0112, 1) == 1
    assert kept[0x010F] == "a maker"


def test_a_tiff_keeps_what_describes_the_picture_alone() -> None:
    exif = Image.Exif()
    exif[0x013B] = "an artist"
    exif.get_ifd(0x8769)[0x9003] = "2024:05:06 07:08:09"
    kept = Image.Exif()
    kept.load(read_picture(saved(RGB, "TIFF", exif=exif.tobytes())).chunks["exif"])
    assert dict(kept)[0x013B] == "an artist"
    assert kept.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
    assert 0x0111 not in kept  # where its strips of pixels lay
    assert "exif" not in read_picture(saved(RGB, "TIFF")).chunks


def test_exif_is_the_same_bytes_but_for_the_orientation() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 8, "a maker"
    exif.get_ifd(0x8769)[0x927C] = b"notes whose offsets only the camera knows"
    data = exif.tobytes().removeprefix(b"Exif\0\0")
    kept = read_picture(saved(RGB, "JPEG", exif=exif)).chunks["exif"]
    assert len(kept) == len(data)
    assert [k for k in range(len(data)) if data[k] != kept[k]] == [data.index(b"\x01\x12\x00\x03") + 9]


@pytest.mark.parametrize(("order", "mark"), [("<", b"II"), (">", b"MM")])
@pytest.mark.parametrize(("kind", "value"), [(3, "Hxx"), (4, "I"), (9, "i")])
def test_an_orientation_of_any_integer_type_is_applied_and_set_upright(
    order: str, mark: bytes, kind: int, value: str
) -> None:
    exif = struct.pack(f"{order}2sHIHHHI{value}I", mark, 42, 8, 1, 0x0112, kind, 1, 6, 0)
    picture = read_picture(saved(RGB, "PNG", exif=exif))
    np.testing.assert_array_equal(picture.pixels, np.rot90(COLOUR, -1))
    kept = Image.Exif()
    kept.load(picture.chunks["exif"])
    assert kept[0x0112] == 1


def test_broken_exif_is_kept_and_turns_nothing() -> None:
    for broken in (b"MM\0\x2a\0\0\0\x08\xff\xff", b"II\x2a\0", b"junk"):
        picture = read_picture(saved(RGB, "PNG", exif=broken))
        assert picture.chunks["exif"] == broken
        np.testing.assert_array_equal(picture.pixels, COLOUR)


def test_exif_that_is_no_hexadecimal_number_is_none() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", "\nexif\n       3\nsix\n")
    assert not read_picture(saved(RGB, "PNG", pnginfo=info)).chunks


def test_orientation_of_xmp_alone_is_applied_and_set_upright() -> None:
    picture = read_picture(saved(RGB, "WEBP", xmp=XMP))
    np.testing.assert_array_equal(picture.pixels, np.rot90(COLOUR, -1))
    assert picture.chunks["xmp"] == XMP.replace(b'"6"', b'"1"')


@pytest.mark.parametrize("kind", [kind for kind in ("PNG", "WEBP", "JPEG", "TIFF", "AVIF") if kind in CONTAINERS])
def test_profile_exif_and_xmp_come_back_from_a_file_that_was_saved_with_them(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    chunks = {"icc": SRGB, "exif": exif.tobytes().removeprefix(b"Exif\0\0"), "xmp": XMP.replace(b'"6"', b'"1"')}
    again = read_picture(saved(to_pil(Picture(COLOUR, chunks=chunks)), kind, **saving_options(chunks, kind)))
    assert again.chunks.keys() == chunks.keys()
    kept = Image.Exif()
    kept.load(again.chunks["exif"])
    assert kept[0x010F] == "a maker"
    assert again.chunks["icc"] == SRGB
    assert again.chunks["xmp"] == chunks["xmp"]


def test_formats_that_hold_no_chunks_are_saved_without_them() -> None:
    chunks = {"icc": SRGB, "exif": b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\0", "xmp": XMP}
    for kind in ("BMP", "PPM", "TGA"):
        again = read_picture(saved(RGB, kind, **saving_options(chunks, kind)))
        np.testing.assert_array_equal(again.pixels, COLOUR)
        assert not again.chunks


def test_exif_that_imagemagick_wrote_is_found() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    data, info = exif.tobytes(), PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(data):8}\n{data.hex()}\n", zip=True)
    picture = read_picture(saved(RGB, "PNG", pnginfo=info))
    np.testing.assert_array_equal(picture.pixels, COLOUR[::-1, ::-1])
    assert picture.chunks["exif"].startswith(b"MM\0\x2a")


@pytest.mark.parametrize(("chunk", "data"), [(b"gAMA", (100000).to_bytes(4, "big")), (b"cHRM", bytes(32))])
def test_a_png_of_other_colours_than_srgb_is_refused_and_a_plain_one_is_not(chunk: bytes, data: bytes) -> None:
    for contents, refused in ((data, True), ((45455).to_bytes(4, "big"), False)):
        if not refused and chunk != b"gAMA":
            continue
        info = PngImagePlugin.PngInfo()
        info.add(chunk, contents)
        file = saved(RGB, "PNG", pnginfo=info)
        if refused:
            with pytest.raises(ImageModeError, match="sRGB first"):
                read_picture(file)
        else:
            np.testing.assert_array_equal(read_picture(file).pixels, COLOUR)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_several_frames_are_refused(kind: str) -> None:
    file = saved(RGB, kind, save_all=True, append_images=[Image.fromarray(COLOUR[::-1])])
    with pytest.raises(ImageModeError, match="several frames"):
        read_picture(file)


def test_the_first_of_a_multi_picture_jpeg_is_the_picture() -> None:
    file = saved(RGB, "MPO", save_all=True, append_images=[Image.fromarray(COLOUR[::-1])])
    with Image.open(file) as image:
        assert image.n_frames == 2
        want = np.asarray(image)
    np.testing.assert_array_equal(read_picture(file).pixels, want)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 3)])
def test_the_smallest_pictures_are_taken(size: tuple[int, int]) -> None:
    pixels = np.resize(COLOUR, (*size, 3))
    picture = read_picture(saved(Image.fromarray(pixels), "PNG"))
    assert picture.size == size
    np.testing.assert_array_equal(picture.pixels, pixels)


def test_a_picture_that_a_stream_cannot_say_is_refused() -> None:
    with pytest.raises(ImageSizeError, match="65535"):
        as_picture(Image.new("1", (65536, 1)))
    with pytest.raises(ImageSizeError, match="65535"):
        as_picture(np.zeros((65536, 1), np.uint8))
    with pytest.raises(ImageError, match="at least one"):
        as_picture(np.zeros((0, 5), np.uint8))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_hundred_megapixels_are_read() -> None:
    image = Image.new("L", (12000, 9000), 7)
    image.putpixel((11999, 8999), 200)
    picture = read_picture(saved(image, "PNG", compress_level=1))
    assert picture.size == (9000, 12000)
    assert picture.grey
    assert picture.pixels[-1, -2:].tolist() == [[7] * 3, [200] * 3]


def test_a_file_of_too_many_pixels_is_refused_before_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = saved(Image.new("1", (20000, 10000)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1 << 26)
    with pytest.raises(ImageSizeError, match="Pillow is set to open"):
        read_picture(file)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(module, "limits", lambda: Limits(picture_pixels=1 << 27))
    with pytest.raises(ImageSizeError, match="20000"):
        read_picture(file)
    monkeypatch.undo()
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(module, "memory_bytes", lambda: 2 * 10**9)
    with pytest.raises(ImageSizeError, match="needs 3000000000 bytes"):
        read_picture(file)


def test_what_is_no_picture_is_unreadable() -> None:
    whole = saved(RGB, "PNG").getvalue()
    for data in (b"", b"text", whole[:60], saved(RGB, "JPEG").getvalue()[:300]):
        with pytest.raises(UnreadableImage):
            read_picture(io.BytesIO(data))


def test_arrays_of_other_kinds_are_refused() -> None:
    for array, error in [
        (COLOUR.astype(np.uint16), ImageModeError),
        (COLOUR[None], ImageError),
        (np.dstack([COLOUR] * 2), ImageError),
        (np.ma.masked_greater(COLOUR, 3), ImageError),
    ]:
        with pytest.raises(error):
            as_picture(array)
    with pytest.raises(WrongType):
        as_picture([[1]])
    with pytest.raises(OSError):
        read_picture("no-such-file.png")


def test_an_array_and_a_picture_are_pictures_already() -> None:
    picture = as_picture(COLOUR)
    assert as_picture(picture) is picture
    np.testing.assert_array_equal(as_picture(COLOUR[..., 0]).pixels, np.repeat(COLOUR[..., :1], 3, axis=2))
