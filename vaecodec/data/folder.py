"""Any folder of images, searched recursively: grey or colour, all of one size.

    files, by name --Pillow--> upright 8-bit grey or RGB --resize, if asked--> (n, h, w) or (n, h, w, 3)

The set is grey if every picture is grey in fact, an RGB file whose channels agree included; else all are RGB, or, with
`grey`, all become luma. Nothing is lost silently: alpha, 16 bits and several frames are refused, each naming the file.
"""

import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from vaecodec.data.image_set import ImageSet
from vaecodec.data.splits import check_split, in_split
from vaecodec.errors import BadDataset, ConfigError, DatasetMissing
from vaecodec.files.depth import BYTE, bits_a_channel
from vaecodec.files.walk import Walk, files_below
from vaecodec.limits import limits

SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".j2k", ".jp2", ".jpeg", ".jpg", ".jxl", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga"}
    | {".tif", ".tiff", ".webp"}
)
MAX_SIDE = 2**14  # a resize to more is a slip of the pen

# What Pillow's plugins raise on damaged and on monstrous files.
DAMAGED = (
    *(OSError, SyntaxError, ValueError, ArithmeticError, LookupError, EOFError, TypeError, struct.error),
    Image.DecompressionBombError,
)
GREY_MODES = {"1", "L", "LA"}
COLOUR_MODES = {"RGB", "RGBA", "P", "PA"}
DEEP = "IF"  # the modes I;16, I and F begin so: Pillow's convert() would clip them
SCALE_IT = "scale its values by a window of your choice first, as docs/microscopy.md shows"


def load_folder(folder: Path, split: str, *, resize: tuple[int, int] | None = None, grey: bool = False) -> ImageSet:
    """A split of the images in a folder; as load_folder_splits()."""
    return load_folder_splits(folder, (split,), resize=resize, grey=grey)[0]


def load_folder_splits(
    folder: Path, splits: Sequence[str], *, resize: tuple[int, int] | None = None, grey: bool = False
) -> tuple[ImageSet, ...]:
    """Some splits of the images in a folder, read once, in the order of their paths; there are no labels.

    resize: (height, width) that every image is brought to (Lanczos), or None: images of mixed sizes are refused.
    grey: colour becomes luma (ITU-R 601-2). The split goes by the pixels that result, so equal pictures stay together.
    DatasetMissing where the folder or its images are not there, BadDataset for a file that cannot be taken as it is.
    """
    for split in splits:
        check_split(split)
    if resize is not None and not all(1 <= side <= MAX_SIDE for side in resize):
        raise ConfigError(f"resize: expected (height, width) from 1 to {MAX_SIDE}, found {resize}")
    paths = image_paths(folder)
    pictures = [read_picture(path, resize=resize, grey=grey) for path in paths]
    check_sizes(paths, pictures)
    if any(picture.ndim == 3 for picture in pictures):
        pictures = [picture if picture.ndim == 3 else np.stack([picture] * 3, axis=2) for picture in pictures]
    images = np.stack(pictures)
    return tuple(
        ImageSet(
            name=folder.resolve().name or "folder",
            split=split,
            images=images[in_split(images, split)],
            labels=None,
            label_names=(),
            source="folder",
        )
        for split in splits
    )


def image_paths(folder: Path) -> list[Path]:
    """The image files below the folder. Raises as images_below()."""
    return [folder / path for path in images_below(folder).files]


def images_below(folder: Path) -> Walk:
    """The image files below the folder, by suffix, in the order of their path's parts.

    Hidden files, and folders behind links, are left out. DatasetMissing where there is no image, BadDataset where
    something cannot be read: no set is made of the rest.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise DatasetMissing(f"{folder}: expected a folder of images, but it {what}")
    found = files_below(folder, SUFFIXES)
    for one in found.unreadable:
        raise BadDataset(f"{folder / one.path}: {one.reason}")
    if not found.files:
        raise DatasetMissing(f"{folder}: expected images, found no file that ends in {' '.join(sorted(SUFFIXES))}")
    return replace(found, files=tuple(sorted(found.files, key=lambda path: Path(path).parts)))


def check_sizes(paths: list[Path], pictures: list[NDArray[np.uint8]]) -> None:
    """BadDataset, with two files and their sizes, where the pictures are not all of one size."""
    first = pictures[0].shape[:2]
    for path, picture in zip(paths, pictures, strict=True):
        if picture.shape[:2] != first:
            height, width = picture.shape[:2]
            raise BadDataset(
                f"{path}: {height}x{width} (height x width), but {paths[0]} is {first[0]}x{first[1]}: "
                "resize all with the option resize, or keep one size in the folder"
            )


def read_picture(path: Path, *, resize: tuple[int, int] | None, grey: bool) -> NDArray[np.uint8]:
    """uint8 (h, w), or (h, w, 3) if the picture is coloured; BadDataset names the file and what is wrong with it."""
    upright = open_upright(path)
    if resize is not None and upright.size != (resize[1], resize[0]):
        upright = upright.resize((resize[1], resize[0]), Image.Resampling.LANCZOS)
    if grey:
        upright = upright.convert("L")
    pixels = np.asarray(upright)
    if pixels.ndim == 3 and (pixels == pixels[:, :, :1]).all():
        return np.ascontiguousarray(pixels[:, :, 0])
    return pixels


def open_upright(path: Path) -> Image.Image:
    """The decoded image, turned as its EXIF says, in mode L or RGB; errors as `read_picture`."""
    try:
        with Image.open(path) as image:
            most = limits().data_pixels
            if image.width * image.height > most:
                raise BadDataset(f"{path}: {image.height}x{image.width} pixels, expected at most {most}")
            frames = getattr(image, "n_frames", 1)
            if frames > 1:
                raise BadDataset(f"{path}: expected one frame, found {frames}")
            bits = bits_a_channel(image)
            if bits > BYTE:
                raise BadDataset(f"{path}: {bits} bits a channel, expected 8: {SCALE_IT}")
            return to_plain_mode(ImageOps.exif_transpose(image), path)
    except BadDataset:
        raise
    except UnidentifiedImageError as error:
        raise BadDataset(f"{path}: not an image that Pillow can read") from error
    except DAMAGED as error:
        raise BadDataset(f"{path}: damaged or not readable: {error}") from error


def to_plain_mode(image: Image.Image, path: Path) -> Image.Image:
    """The image in mode L or RGB where that loses nothing; BadDataset names what would be lost."""
    if image.mode not in GREY_MODES | COLOUR_MODES:
        remedy = SCALE_IT if image.mode[0] in DEEP else "convert the file first"
        raise BadDataset(f"{path}: mode {image.mode}, expected 8-bit grey or RGB: {remedy}")
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A").getextrema()
        if alpha != (255, 255):
            raise BadDataset(f"{path}: has transparent pixels, which would be lost: flatten the file first")
    return image.convert("L" if image.mode in GREY_MODES else "RGB")
