"""A conditioned-vae of colour, whole and in tiles: from its config to files, exactly as the runtime reads them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vaecodec.codec.codec import Codec
from vaecodec.data import ImageSet
from vaecodec.errors import ConfigError
from vaecodec.families import training_config
from vaecodec.families.conditioned.config import ConditionedConfig
from vaecodec.families.conditioned.tiles import cut, joined
from vaecodec.modelfile.model import read_model
from vaecodec.recipes.config import Hardware
from vaecodec.training.run import run

pytestmark = pytest.mark.timeout(600)  # each trains: seconds of a core, minutes of a busy one


def ramps(count: int, seed: int) -> ImageSet:
    """Slopes of random colours and directions, 16 x 24."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[-1:1:16j, -1:1:24j]
    slope = rng.normal(0, 50, (count, 2, 1, 1, 3))
    pixels = rng.uniform(60, 195, (count, 1, 1, 3)) + slope[:, 0] * rows[..., None] + slope[:, 1] * columns[..., None]
    return ImageSet("ramps", "train", pixels.clip(0, 255).round().astype(np.uint8), None, (), "procedural")


@pytest.mark.parametrize("tile", [0, 8])
def test_colour_comes_back_in_colour(tile: int, tmp_path: Path) -> None:
    sizes = {"height": 16, "width": 24, "channels": 3, "tile": tile, "latents": 12, "units": 16, "hidden": 16}
    values = {
        "name": "ramps",
        "family": "conditioned-vae",
        "data": "ramps",
        "model": {**sizes, "blocks": 1, "encoder_units": 16, "encoder_blocks": 1, "levels": 18, "knots": 3},
        "objective": {"likelihood": "gaussian", "rate": "uniform-noise"},
        "optimiser": {"steps": 60, "batch_size": 16, "warmup_steps": 5, "shift_pixels": 1, "unmoved_steps": 20},
        "finish": {"synthesis_steps": 4},
    }
    images = ramps(32, 2).images
    config = training_config(values)
    path = run(config, tmp_path, ramps(200, 0), ramps(40, 1), hardware=Hardware(device="cpu"), show_progress=False)
    codec = Codec(read_model(path))
    assert (codec.model.shape, codec.model.latents) == ((16, 24, 3), 12 * (6 if tile else 1))
    errors = []
    for level in (0, 17):
        streams = codec.compress_batch(images, level=level)
        decoded = np.stack(codec.decompress_batch(streams))
        assert decoded.shape == images.shape
        np.testing.assert_array_equal(decoded[3], codec.decompress(streams[3]))
        errors.append(np.square(decoded.astype(float) - images).mean())
    assert errors[1] < errors[0] < images.var()
    assert errors[1] < 400


def test_tiles_are_cut_row_by_row_and_joined_again() -> None:
    config = ConditionedConfig(height=4, width=6, channels=3, tile=2, latents=4, units=1, encoder_units=1)
    images = torch.arange(2 * 4 * 6 * 3).float().view(2, 4, 6, 3)
    tiles = cut(images, config)
    assert tiles.shape == (12, 2, 2, 3)
    torch.testing.assert_close(tiles[1], images[0, :2, 2:4])
    torch.testing.assert_close(tiles[9], images[1, 2:, :2])
    torch.testing.assert_close(joined(tiles, config), images)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"channels": 2}, "channels"),
        ({"tile": 5}, "tile"),
        ({"channels": 3, "moments": 4}, "moments"),
        ({"tile": 8, "half_planes": 4}, "half_planes"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(sizes: dict[str, int], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        ConditionedConfig(**{"height": 16, "width": 24, "latents": 12, **sizes})
