"""The photographs that codecs are judged on: Kodak's 24 for evaluation alone, a validation pack for development.

$VAECODEC_DATA/kodak/kodim??.png         24 of 768×512 or 512×768   never trained on, never tuned on
$VAECODEC_DATA/photos/photos-b.npz       64 crops of 256×256        of photographs that no training has seen
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from vaecodec.arrays import Pixels
from vaecodec.data.location import data_folder
from vaecodec.data.photographs import read_pack
from vaecodec.errors import DatasetMissing

KODAK, VALIDATION = "kodak", "validation"  # names of sets
KODAK_IMAGES = 24
PUBLISHED = (
    "webp",
    "bpg_444_x265_ycbcr",
    "av1",
    "vtm",
    "paper-bmshj2018-hyperprior",
    "paper-mbt2018-mean",
    "paper-elic2022_mse",
    "cool-chic-5.0",
)


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """Photographs uint8 (h, w, 3), not all of one size, and the name of each."""

    name: str
    source: str
    names: tuple[str, ...]
    images: tuple[Pixels, ...]

    def to_dict(self) -> dict[str, Any]:
        """What a result says about the images that it was measured on."""
        digest = hashlib.sha256()
        for image in self.images:
            digest.update(repr(image.shape).encode() + image.tobytes())
        return {
            "name": self.name,
            "source": self.source,
            "images": len(self.images),
            "pixels": sum(image.shape[0] * image.shape[1] for image in self.images),
            "pixels_sha256": digest.hexdigest(),
        }


def kodak() -> PhotoSet:
    """Raises DatasetMissing."""
    paths = sorted((data_folder() / "kodak").glob("kodim??.png"))
    if len(paths) != KODAK_IMAGES:
        raise DatasetMissing(
            f"{data_folder() / 'kodak'}: expected {KODAK_IMAGES} files kodim??.png, found {len(paths)}"
        )
    images = []
    for path in paths:
        with Image.open(path) as image:
            images.append(np.asarray(image.convert("RGB")))
    return PhotoSet(KODAK, "Kodak's 24 photographs", tuple(path.name for path in paths), tuple(images))


def validation() -> PhotoSet:
    """Raises DatasetMissing, BadDataset."""
    crops = read_pack(data_folder() / "photos" / "photos-b.npz")
    names = tuple(f"crop-{k:02}" for k in range(len(crops)))
    return PhotoSet(
        "validation", "64 crops of 19 photographs, none of a training's (photos-b.npz)", names, tuple(crops)
    )


def published_curves() -> list[dict[str, Any]]:
    """The curves of PUBLISHED on Kodak: id, codec, source, and points [bits a pixel, PSNR in dB, mean of the images].

    Raises DatasetMissing.
    """
    path = data_folder() / "kodak" / "published.json"
    if not path.is_file():
        raise DatasetMissing(f"{path}: expected published curves, found no such file")
    curves = {one["id"]: one for one in json.loads(path.read_text(encoding="utf-8"))["published"]}
    return [{key: curves[name][key] for key in ("id", "codec", "source", "points")} for name in PUBLISHED]
