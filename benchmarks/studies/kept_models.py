"""The kept models whose codes are studied, and the images with their truth that the codes are of.

data ──subjects──> models, each at a level            data ──load_study──> images (n, h, w), factors of each
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring.images import Images
from benchmarks.measuring.machine import RESULTS
from vaecodec.data import load_dataset
from vaecodec.data.dsprites_factors import COUNT
from vaecodec.evaluation.disentanglement import GroundTruth, real_images
from vaecodec.evaluation.disentanglement.dsprites import SOURCE_BITS

DATA = ("dsprites", "mnist")
FLAGSHIPS = {"dsprites": ("dsprites-flagship-2", (21, 54)), "mnist": ("mnist-flagship-5", (21,))}
IMAGES = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Images (n, h, w) with their truth; source_bits and population: see `entanglement`, None where nobody knows."""

    data: str
    images: Images
    truth: GroundTruth
    label: str
    source_bits: float | None
    population: int | None


@dataclass(frozen=True, slots=True)
class Subject:
    """A model at one level."""

    name: str
    model: str | Path
    level: int = 0


def subjects(data: str) -> list[Subject]:
    """The flagship at some levels, and the kept models of the families, nvae with its many latents last."""
    kept = sorted((RESULTS / "families").glob(f"*-{data}*.vaem"), key=lambda path: path.stem, reverse=True)
    kept.sort(key=lambda path: path.stem.startswith("nvae"))
    flagship, levels = FLAGSHIPS[data]
    return [
        *(Subject(f"{flagship}, level {level}", flagship, level) for level in levels),
        *(Subject(path.stem, path) for path in kept),
    ]


def load_study(data: str, count: int, seed: int) -> Study:
    """The images that the codes are of."""
    if data == "dsprites":
        found = real_images(count, rng=np.random.default_rng(seed))
        return Study(data, found.images, found.truth, found.label, SOURCE_BITS, COUNT)
    parts = [load_dataset("mnist", split) for split in ("test", "train")]
    images = np.concatenate([part.images for part in parts])[:count]
    labels = np.concatenate([part.labels for part in parts if part.labels is not None])[:count, None]
    truth = GroundTruth(labels, ("digit",), (False,))
    return Study(data, images, truth, f"{parts[0].source}: 10,000 test images, then training images", None, None)


def describe(study: Study) -> dict[str, Any]:
    """For JSON."""
    return {
        "name": study.data,
        "source": study.label,
        "images": len(study.images),
        "pixels_sha256": hashlib.sha256(study.images.tobytes()).hexdigest(),
        "factors": list(study.truth.names),
        "source_bits": study.source_bits,
    }
