"""A run folder: the names of its files, and its config. Read without torch.

config.json   metrics.jsonl   checkpoint.pt   NAME.vaem
"""

from __future__ import annotations

import json
from pathlib import Path

from vaecodec.errors import CheckpointError
from vaecodec.families import training_config
from vaecodec.files.outputs import replacing
from vaecodec.recipes.config import TrainingConfig

CONFIG, METRICS, CHECKPOINT = "config.json", "metrics.jsonl", "checkpoint.pt"


def write_config(config: TrainingConfig, folder: Path) -> None:
    """The config of a run folder, which is made where it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / CONFIG) as file:
        file.write(json.dumps(config.to_dict(), indent=1).encode())


def read_run_config(folder: Path) -> TrainingConfig:
    """The config of a run folder. Raises CheckpointError, ConfigError."""
    path = folder / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not a run folder ({error})") from error
    return training_config(values)
