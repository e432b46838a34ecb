"""A tiny model, 40 pictures as two npz files, and a plan of them; an S3 server where moto is installed."""

from pathlib import Path

import numpy as np
import pytest

import vaecodec
from vaecodec.archive.folder import open_folder
from vaecodec.archive.shards import ShardSettings
from vaecodec.sharding.plan import Cut, Wish, publish_plan
from vaecodec.sharding.sources import pieces_of

TINY = Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem"


@pytest.fixture(scope="session")
def codec():
    return vaecodec.load(TINY)


@pytest.fixture(scope="session")
def images(codec):
    """uint8 (40, 28, 28)."""
    noise = np.random.default_rng(3).integers(0, 256, (40, 28, 28), dtype=np.uint8)
    return codec.lossy.synthesise(codec.lossy.analyse(noise))


@pytest.fixture(scope="session")
def pixels(codec, images):
    """What is left of the images after compressing them."""
    return codec.lossy.synthesise(codec.lossy.analyse(images))


@pytest.fixture(scope="session")
def sources(tmp_path_factory, images):
    """Paths of two sets, of 25 and 15 images with labels 100 to 139."""
    folder = tmp_path_factory.mktemp("sources")
    for name, part in (("a", slice(0, 25)), ("b", slice(25, 40))):
        np.savez(folder / f"{name}.npz", images=images[part], labels=np.arange(100, 140)[part])
    return (str(folder / "a.npz"), str(folder / "b.npz"))


@pytest.fixture
def planned(sources, codec):
    """planned(address, shards=4, ...): (folder, plan) of the sources, in an empty folder."""

    def plan(address, *, files=sources, shards=4, named=True, replace=False, **settings):
        folder = open_folder(str(address))
        wish = Wish(tuple(files), Cut(shards=shards), ShardSettings(**{"block_images": 4, **settings}), named=named)
        pieces = pieces_of(wish.sources, data_dir=None, listed=list, on_linked=lambda *_: None)
        return folder, publish_plan(folder, wish, pieces, codec, replace=replace)

    return plan


@pytest.fixture
def pictures(tmp_path, images):
    """A folder of 20 PNG files, named."""
    from PIL import Image

    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    for k in range(20):
        Image.fromarray(images[k]).save(folder / ("deep" if k >= 10 else "") / f"{k:02d}.png")
    return folder
