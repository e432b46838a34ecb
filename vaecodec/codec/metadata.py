"""What comes with the pixels of a picture and comes back with them: ICC profile, EXIF and XMP, as bytes.

    PIL image, loaded ──chunks_of──> {"icc": …, "exif": …, "xmp": …} ──saving_options──> Image.save(..., **options)

Bytes are kept as they are but for the orientation: the pixels are turned upright, so EXIF and XMP must say so too. EXIF
is changed in place, because what cameras write by offsets of their own (maker notes) would not survive being rewritten.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin

from vaecodec.errors import ImageModeError

ICC, EXIF, XMP = "icc", "exif", "xmp"
CHUNKS = (ICC, EXIF, XMP)
EXIF_HEAD = b"Exif\0\0"  # before the TIFF structure in a JPEG's segment; not kept
PNG_XMP = "XML:com.adobe.xmp"  # keyword of the text
UPRIGHT = 1
# A TIFF file has no EXIF segment: its own fields are. These describe the picture, the others where the pixels lie.
TIFF_FIELDS = (
    ExifTags.Base.ImageDescription,
    ExifTags.Base.Make,
    ExifTags.Base.Model,
    ExifTags.Base.Software,
    ExifTags.Base.DateTime,
    ExifTags.Base.Artist,
    ExifTags.Base.Copyright,
)
TIFF_FOLDERS = (ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo)
_INTEGERS = {3: "H", 4: "I", 8: "h", 9: "i"}  # TIFF 6.0: an orientation is a SHORT, 3, and some write others
_ENTRY = struct.Struct("HHI")
_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))[0-9]')
_ICC_SPACE = slice(16, 20)  # ICC.1, 7.2.6: data colour space
# PNG's own words for colour, where a file has no profile: what else than sRGB they say would be lost.
SRGB_GAMMA, GAMMA_TOLERANCE = 1 / 2.2, 0.05
SRGB_CHROMATICITY, CHROMATICITY_TOLERANCE = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06), 0.01


def chunks_of(image: Image.Image) -> dict[str, bytes]:
    """The chunks that a loaded image has, upright. Raises ImageModeError where colours would be lost."""
    info = image.info
    found = {ICC: info.get("icc_profile") or b"", EXIF: _upright_exif(_exif_of(image)), XMP: _xmp_of(image)}
    if not found[ICC]:
        _check_srgb(info)
    return {key: data for key, data in found.items() if data}


def orientation_of(image: Image.Image) -> int:
    """How EXIF, or else XMP, says that the pixels of a loaded image lie: 1 upright, as for whatever cannot be read."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, UPRIGHT))
    except Exception:  # Pillow's parsers raise SyntaxError, struct.error, ValueError, TypeError, ... for broken EXIF
        return UPRIGHT


def info_of(chunks: Mapping[str, bytes]) -> dict[str, bytes]:
    """The chunks as the info of a PIL image names them: icc_profile, exif and xmp."""
    info = {"icc_profile": chunks.get(ICC), "xmp": chunks.get(XMP)}
    if EXIF in chunks:
        info["exif"] = EXIF_HEAD + chunks[EXIF]
    return {key: data for key, data in info.items() if data}


def saving_options(chunks: Mapping[str, bytes], image_format: str) -> dict[str, Any]:
    """Keyword arguments of Pillow's save() by which a file of the format ("PNG", "TIFF", …) holds the chunks.

    JPEG, WebP and AVIF take them by their names, PNG takes XMP as a text, TIFF as one of the fields that are its EXIF.
    Formats that hold none of them ignore the arguments.
    """
    options: dict[str, Any] = dict(info_of(chunks))
    if XMP in chunks and image_format == "PNG":
        options["pnginfo"] = text = PngImagePlugin.PngInfo()
        text.add_itxt(PNG_XMP, options.pop("xmp").decode("utf-8", "replace"))
    elif XMP in chunks and image_format == "TIFF":
        exif = Image.Exif()
        exif.load(options.get("exif", b""))
        exif[ExifTags.Base.XMLPacket] = options.pop("xmp")
        options["exif"] = exif
    return options


def is_profile_of_rgb(icc: bytes) -> bool:
    """Whether an ICC profile describes RGB, so that a file of grey must not hold it."""
    return icc[_ICC_SPACE] == b"RGB "


def _exif_of(image: Image.Image) -> bytes:
    """The TIFF structure of a picture's EXIF, b"" where there is none."""
    data = image.info.get("exif")
    if data is None and isinstance(hexadecimal := image.info.get("Raw profile type exif"), str):
        with suppress(ValueError):  # what is no hexadecimal number is no EXIF
            data = bytes.fromhex("".join(hexadecimal.split("\n")[3:]))  # as ImageMagick keeps it in a PNG
    if data is None and image.format == "TIFF":
        with suppress(Exception):  # fields of types that Pillow reads and cannot write
            return _exif_of_tiff(image)
    data = data or b""
    while data.startswith(EXIF_HEAD):
        data = data.removeprefix(EXIF_HEAD)
    return data


def _exif_of_tiff(image: Image.Image) -> bytes:
    own, kept = image.getexif(), Image.Exif()
    for field in TIFF_FIELDS:
        if field in own:
            kept[field] = own[field]
    for folder in TIFF_FOLDERS:
        if fields := own.get_ifd(folder):
            kept.get_ifd(folder).update(fields)
    return kept.tobytes().removeprefix(EXIF_HEAD) if len(kept) or kept.get_ifd(TIFF_FOLDERS[0]) else b""


def _upright_exif(data: bytes) -> bytes:
    """The same bytes with the orientation at 1."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
    if not order:
        return data
    changed = bytearray(data)
    try:
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for at in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _ = struct.unpack_from(f"{order}{_ENTRY.format}", data, at)
            if tag == ExifTags.Base.Orientation and kind in _INTEGERS:
                struct.pack_into(f"{order}{_INTEGERS[kind]}", changed, at + 8, UPRIGHT)
    except struct.error:  # the fields end before they should: as they are
        return data
    return bytes(changed)


def _xmp_of(image: Image.Image) -> bytes:
    data = image.info.get("xmp") or image.info.get(PNG_XMP) or b""
    data = data.encode() if isinstance(data, str) else bytes(data)
    return _XMP_ORIENTATION.sub(rb"\g<1>%d" % UPRIGHT, data)


def _check_srgb(info: Mapping[Any, Any]) -> None:
    """Raises ImageModeError for a PNG whose gamma or primaries are not those of sRGB, without an sRGB chunk."""
    if "srgb" in info:
        return
    gamma, chromaticity = info.get("gamma"), info.get("chromaticity")
    if gamma and abs(gamma / SRGB_GAMMA - 1) > GAMMA_TOLERANCE:
        raise ImageModeError(f"PNG of gamma {gamma:g} and no colour profile: convert it to sRGB first")
    if chromaticity and any(
        abs(one - of_srgb) > CHROMATICITY_TOLERANCE
        for one, of_srgb in zip(chromaticity, SRGB_CHROMATICITY, strict=False)
    ):
        raise ImageModeError("PNG of primaries other than sRGB's and no colour profile: convert it to sRGB first")
