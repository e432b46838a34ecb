"""A tiny installed model, and an archive of 40 small pictures made with it."""

from pathlib import Path

import numpy as np
import pytest

import vaecodec

TINY = Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem"


@pytest.fixture(scope="session")
def codec():
    return vaecodec.load(TINY)


@pytest.fixture(autouse=True)
def installed(tmp_path_factory, monkeypatch):
    """The tiny model is all that is installed by the user."""
    models = tmp_path_factory.mktemp("models")
    (models / "golden-tiny-1.vaem").write_bytes(TINY.read_bytes())
    monkeypatch.setenv("VAECODEC_MODELS", str(models))


@pytest.fixture(scope="session")
def images(codec):
    """uint8 (40, 28, 28) that the model gives back as they are."""
    noise = np.random.default_rng(3).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    return codec.lossy.synthesise(codec.lossy.analyse(noise))


@pytest.fixture(scope="session")
def pixels(codec, images):
    """What is left of the images after compressing them."""
    return codec.lossy.synthesise(codec.lossy.analyse(images))


@pytest.fixture(scope="session")
def archive_path(tmp_path_factory, codec, images):
    path = tmp_path_factory.mktemp("archive") / "a.vaea"
    with vaecodec.ArchiveWriter.create(path, codec, block_images=8) as writer:
        writer.add_batch(images, [f"{k}.png" for k in range(40)], range(100, 140))
    return path
