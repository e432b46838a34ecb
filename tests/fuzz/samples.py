"""Sound files to begin with: the golden ones, and a photograph model with its streams and an archive of them.

The photograph model is one of the tests' (tests/photo/tiny.py): not trained, and small enough for thousands of runs.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import vaecodec
from tests.independent.program import GOLDEN, NAMES, golden_file
from tests.photo.tiny import LEVELS, smooth_picture, tiny_photo_model
from vaecodec.codec.codec import Codec
from vaecodec.codec.photograph import PhotographCodec
from vaecodec.codec.picture import Picture
from vaecodec.codec.target import Target
from vaecodec.modelfile.installed import MODELS_VARIABLE, user_folder
from vaecodec.photo.model import PhotoModel

PHOTOGRAPH = "photograph"  # the tests' photograph model, among the names of golden models


@cache
def codecs() -> dict[str, Codec]:
    """Of the golden models, by name."""
    return {name: vaecodec.load(GOLDEN / f"{name}.vaem") for name in NAMES}


@cache
def photograph_file() -> bytes:
    """The file of the tests' photograph model; making it takes seconds, so that one that is installed is read."""
    installed = user_folder() / f"sample-{PHOTOGRAPH}.vaem"
    return installed.read_bytes() if installed.is_file() else tiny_photo_model().to_bytes()


@cache
def photograph_codec() -> PhotographCodec:
    """Of the tests' photograph model."""
    return PhotographCodec(PhotoModel.from_bytes(photograph_file()))


@cache
def golden_streams() -> dict[str, tuple[bytes, ...]]:
    """The golden streams of version 1 of each model."""
    found: dict[str, list[bytes]] = {name: [] for name in NAMES}
    for path in sorted((GOLDEN / "streams").glob("*.bin")):
        found[path.stem.split("-")[0]].append(path.read_bytes())
    return {name: tuple(streams) for name, streams in found.items()}


@cache
def picture_streams() -> tuple[bytes, ...]:
    """Streams of version 2: colour and grey, with and without alpha and chunks, of one region and of two."""
    codec, pixels = photograph_codec(), smooth_picture(20, 30)
    steps = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    chunks = {"icc": bytes(500), "exif": b"MM\0*\0\0\0\x08\0\0", "xmp": b"<x:xmpmeta/>"}
    pictures = [
        Picture(pixels),
        Picture(smooth_picture(1, 1)),
        Picture(pixels, alpha=steps, chunks=chunks),
        Picture(pixels, alpha=np.full((20, 30), 9, np.uint8)),
        Picture(np.repeat(pixels[..., :1], 3, axis=2), grey=True, chunks={"icc": chunks["icc"]}),
    ]
    made = [codec.compress(picture, level=k % LEVELS) for k, picture in enumerate([*pictures, *pictures])]
    return (*made, codec.compress(smooth_picture(3, 2050), level=1), codec.compress(smooth_picture(2049, 2), level=0))


@cache
def model_files() -> dict[str, bytes]:
    """The files of the golden models and of the photograph model, by name."""
    return {**{name: golden_file(name) for name in NAMES}, PHOTOGRAPH: photograph_file()}


@dataclass(frozen=True, slots=True)
class Sample:
    """An archive and the images that it gives, by their numbers."""

    data: bytes
    images: dict[int, np.ndarray]


@cache
def archives() -> tuple[Sample, ...]:
    """The golden archives, one of photographs, and one with its model and with names in several blocks.

    The models must be installed (all_installed).
    """
    made = [(GOLDEN / "archives" / f"{name}.vaea").read_bytes() for name in ("discs", "exact")]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.vaea"
        with vaecodec.ArchiveWriter.create(path, photograph_codec(), metadata={"a": 1}) as writer:
            for k in range(3):
                writer.add(smooth_picture(9 + k, 20, seed=k), f"photographs/{k}.png", (k, -k))
        made.append(path.read_bytes())
        path.unlink()
        exactly = Target(max_error=0)
        with vaecodec.ArchiveWriter.create(
            path, codecs()["bits"], embed_model=True, block_images=2, target=exactly
        ) as writer:
            for k in range(7):
                writer.add((np.indices((12, 10)).sum(axis=0) % (k + 2) > 1).astype(np.uint8) * np.uint8(255), f"{k}")
        made.append(path.read_bytes())
    return tuple(Sample(data, images_of(data)) for data in made)


def images_of(data: bytes) -> dict[int, np.ndarray]:
    """What an archive gives, by the images' numbers. Raises VaecodecError."""
    with opened(data) as archive:
        return {first + k: image for first, block in archive.readable() for k, image in enumerate(block)}


@contextmanager
def opened(data: bytes) -> Iterator[vaecodec.Archive]:
    """The archive of these bytes, read with the models that are installed. Raises VaecodecError."""
    with TemporaryDirectory(dir=memory_folder()) as folder:
        path = Path(folder) / "a.vaea"
        path.write_bytes(data)
        with vaecodec.Archive(path) as archive:
            yield archive


@contextmanager
def all_installed() -> Iterator[Path]:
    """All sample models are installed, in a folder that is given."""
    before = os.environ.get(MODELS_VARIABLE)
    with TemporaryDirectory(dir=memory_folder()) as folder:
        for name, file in model_files().items():
            (Path(folder) / f"sample-{name}.vaem").write_bytes(file)
        os.environ[MODELS_VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ[MODELS_VARIABLE]
            else:
                os.environ[MODELS_VARIABLE] = before


def memory_folder() -> str | None:
    """A file system in memory, where there is one: thousands of files are written."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
