"""A training of seconds, whose run can be killed and compared: the command, and the pictures that it learns from."""

from pathlib import Path

import numpy as np
from PIL import Image

NAME = "small"
PICTURES = 80
CONFIG = """
name = "{name}"
data = "{folder}"
[model]
latents = 2
channels = [2, 4]
hidden = 4
[optimiser]
steps = 24
batch_size = 8
validate_every = 4
checkpoint_every = 4
[finish]
step_multipliers = [3.0]
synthesis_steps = 1
"""


def train_command(place: Path) -> list[str]:
    """The command but for the run folder, which is its last word; inputs are written into `place`."""
    folder, rng = place / "pictures", np.random.default_rng(2)
    folder.mkdir()
    for k in range(PICTURES):
        pixels = np.zeros((28, 28), np.uint8)
        y, x = rng.integers(0, 20, 2)
        pixels[y : y + 8, x : x + 8] = rng.integers(1, 255)
        Image.fromarray(pixels).save(folder / f"{k}.png")
    config = place / f"{NAME}.toml"
    config.write_text(CONFIG.format(name=NAME, folder=folder))
    return ["train", str(config), "--device", "cpu", "--no-progress", "--no-comparison", "--out"]
