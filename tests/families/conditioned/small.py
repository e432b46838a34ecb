"""A conditioned model small enough to train in a test, and the digits that it is trained on."""

from pathlib import Path

from tests.families.small import CONDITIONED
from vaecodec.data import load_dataset
from vaecodec.families import training_config
from vaecodec.recipes.config import TrainingConfig

DATA = Path(__file__).parents[2] / "fixtures" / "data"
SETS = [load_dataset("mnist", split, data_dir=DATA) for split in ("train", "validation", "test")]


def small_config(family: str, finish: dict[str, float], **objective: object) -> TrainingConfig:
    """300 steps over six levels, of which the finest have more latents. objective: changes of it."""
    return training_config(
        {
            "name": "levels",
            "family": family,
            "data": "mnist",
            "model": CONDITIONED,
            "objective": {"rate": "uniform-noise", "likelihood": "gaussian", **objective},
            "optimiser": {"steps": 300, "batch_size": 64, "learning_rate": 3e-3, "warmup_steps": 20},
            "finish": {"synthesis_steps": 30, **finish},
        }
    )
