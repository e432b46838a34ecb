"""Trainings: which runs are done, and the training of those that are not.

TrainingConfig --run_state--> RunState            TrainingConfig --ensure_run--> RUNS/<name>/<name>.vaem
"""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import ROOT
from vaecodec.data import ImageSet, load_dataset
from vaecodec.errors import ConfigError
from vaecodec.families import training_config
from vaecodec.modelfile.installed import SUFFIX
from vaecodec.modelfile.summary import read_summary
from vaecodec.recipes.config import TrainingConfig
from vaecodec.training.run_folder import CHECKPOINT

QUICK_TRAINING_IMAGES, QUICK_TEST_IMAGES = 2000, 200
QUICK_STEPS = 150
RUNS_VARIABLE = "VAECODEC_RUNS"


class RunState(Enum):
    """What a run folder holds."""

    DONE = "done"
    OTHER_CONFIG = "done with another config"
    OTHER_DATA = "done with other data"
    STARTED = "started"
    ABSENT = "absent"


def runs_folder() -> Path:
    """$VAECODEC_RUNS, else runs/ of the checkout."""
    return Path(os.environ.get(RUNS_VARIABLE) or ROOT / "runs").expanduser()


def model_path(config: TrainingConfig, runs: Path) -> Path:
    """Where the run's model file is, or will be."""
    return runs / config.name / f"{config.name}{SUFFIX}"


def run_state(config: TrainingConfig, training: ImageSet, runs: Path) -> RunState:
    """A run is done when its model file is there and says that it was trained with this very config on these pixels."""
    path = model_path(config, runs)
    if not path.is_file():
        return RunState.STARTED if (path.parent / CHECKPOINT).is_file() else RunState.ABSENT
    about = read_summary(path).about
    if stored_config(about) != config:
        return RunState.OTHER_CONFIG
    return RunState.DONE if about.get("data", {}).get("sha256") == training.sha256 else RunState.OTHER_DATA


def stored_config(about: Mapping[str, Any]) -> TrainingConfig | None:
    """The config in a model file's record; None where this release cannot read it."""
    try:
        return training_config(about["config"])
    except (ConfigError, KeyError):
        return None


def training_sets(data: str, *, quick: bool = False) -> tuple[ImageSet, ImageSet]:
    """Training and validation images; quick: the first few of each."""
    training, validation = (load_dataset(data, split) for split in ("train", "validation"))
    if not quick:
        return training, validation
    few = [
        replace(part, images=part.images[:QUICK_TRAINING_IMAGES], labels=None, label_names=())
        for part in (training, validation)
    ]
    return few[0], few[1]


def ensure_run(config: TrainingConfig, runs: Path, sets: tuple[ImageSet, ImageSet]) -> Path:
    """The run's model file; trained, or taken up from its checkpoint, where it is not there yet.

    Raises ConfigError where the folder holds a model of another config or of other data, and what training raises.
    """
    path = model_path(config, runs)
    state = run_state(config, sets[0], runs)
    if state is RunState.DONE:
        return path
    if state in (RunState.OTHER_CONFIG, RunState.OTHER_DATA):
        raise ConfigError(f"{path}: {state.value}, not as {config.name} is wanted; move {path.parent} away")
    from vaecodec.training.run import run

    return run(config, path.parent, *sets, resume=state is RunState.STARTED)


def last_metrics(folder: Path) -> dict[str, Any] | None:
    """The last line of a run's metrics; None where there is none."""
    metrics = read_metrics(folder)
    return metrics[-1] if metrics else None


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """A run's metrics, a row for each time it was validated; none where there is no such file."""
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [json.loads(line) for line in lines]
