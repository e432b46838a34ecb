"""TrainingConfig: every refusal, the inverse of to_dict, and the committed TOML files."""

from pathlib import Path
from typing import Any

import pytest

from vaecodec.errors import ConfigError
from vaecodec.families import training_config
from vaecodec.recipes.config import FinishConfig, OptimiserConfig, read_config
from vaecodec.recipes.objective_config import ObjectiveConfig

CONFIGS = sorted((Path(__file__).parents[2] / "benchmarks" / "configs").glob("*.toml"))
GOOD: dict[str, Any] = {
    "name": "run-1",
    "data": "mnist",
    "model": {"height": 28, "width": 28, "channels": [8, 16]},
    "objective": {"beta": 4, "rate": "uniform-noise", "likelihood": "gaussian"},
    "optimiser": {"steps": 10},
    "finish": {"step_multipliers": [3, 4.5]},
}


def test_training_config_inverts_to_dict() -> None:
    config = training_config(GOOD)
    assert training_config(config.to_dict()) == config
    assert config.model.channels == (8, 16)
    assert (config.objective.beta, type(config.objective.beta)) == (4.0, float)
    assert config.finish.step_multipliers == (3.0, 4.5)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_the_committed_configs_are_valid(path: Path) -> None:
    config = training_config(read_config(path))
    assert config.name == path.stem
    assert training_config(config.to_dict()) == config


@pytest.mark.parametrize(
    ("table", "values", "reason"),
    [
        (None, {"colour": 1}, "unknown key 'colour'; there are: name"),
        ("model", {"depth": 1}, "unknown key 'depth'"),
        ("objective", {"gamma": 1}, "unknown key 'gamma'"),
        ("optimiser", {"momentum": 1}, "unknown key 'momentum'"),
        ("finish", {"more": 1}, "unknown key 'more'"),
        (None, {"name": ""}, "name"),
        (None, {"name": "a/b"}, "name"),
        (None, {"name": ".hidden"}, "name"),
        (None, {"name": 5}, "expected str"),
        (None, {"seed": -1}, "seed"),
        (None, {"seed": 1.5}, "expected int"),
        (None, {"seed": True}, "expected int"),
        (None, {"model": 5}, "expected a table"),
        ("model", {"height": "28"}, "expected int"),
        ("model", {"channels": 8}, "expected a list"),
        ("model", {"channels": [8.5]}, "expected int"),
        ("model", {"height": 27}, "multiples"),
        ("objective", {"beta": -1.0}, "beta"),
        ("objective", {"beta": float("nan")}, "beta"),
        ("objective", {"beta": float("inf")}, "beta"),
        ("objective", {"beta": "4"}, "expected float"),
        ("objective", {"beta": True}, "expected float"),
        ("objective", {"likelihood": "poisson"}, "bernoulli, gaussian"),
        ("objective", {"rate": "entropy"}, "gaussian-kl, uniform-noise"),
        ("objective", {"pixel_sigma": 0.0}, "pixel_sigma"),
        ("objective", {"warmup_steps": -1}, "warmup_steps"),
        ("optimiser", {"steps": 0}, "steps"),
        ("optimiser", {"batch_size": 0}, "batch_size"),
        ("optimiser", {"validate_every": 0}, "validate_every"),
        ("optimiser", {"checkpoint_every": 0}, "checkpoint_every"),
        ("optimiser", {"learning_rate": -1e-3}, "learning_rate"),
        ("optimiser", {"warmup_steps": -1}, "warmup_steps"),
        ("optimiser", {"shift_pixels": -1}, "shift_pixels"),
        ("finish", {"step_multipliers": []}, "step_multipliers"),
        ("finish", {"step_multipliers": [3, 0]}, "step_multipliers"),
        ("finish", {"step_multipliers": [float("nan")]}, "step_multipliers"),
        ("finish", {"synthesis_steps": -1}, "synthesis_steps"),
        ("finish", {"synthesis_learning_rate": -1.0}, "synthesis_learning_rate"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_name(table: str | None, values: dict, reason: str) -> None:
    config = {**GOOD, **values} if table is None else {**GOOD, table: {**GOOD[table], **values}}
    with pytest.raises(ConfigError, match=reason):
        training_config(config)


@pytest.mark.parametrize("key", ["name", "data", "model"])
def test_a_missing_key_is_refused(key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        training_config({k: v for k, v in GOOD.items() if k != key})
    with pytest.raises(ConfigError, match="height"):
        training_config({**GOOD, "model": {"width": 28}})


def test_a_toml_file_that_is_missing_or_broken_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("name = ")
    for name in ("missing.toml", "broken.toml"):
        with pytest.raises(ConfigError, match=name):
            read_config(tmp_path / name)


def test_defaults_are_valid() -> None:
    assert ObjectiveConfig().beta == 1
    assert OptimiserConfig().steps > 0
    assert FinishConfig().step_multipliers
