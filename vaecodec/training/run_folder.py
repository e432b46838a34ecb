"""A run folder: the names of its files, and its config. Read without torch.

config.json   metrics.jsonl   checkpoint.pt   NAME.vaem
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vaecodec.errors import CheckpointError
from vaecodec.families import training_config
from vaecodec.recipes.config import TrainingConfig

CONFIG, METRICS, CHECKPOINT = "config.json", "metrics.jsonl", "checkpoint.pt"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to be written in the place of `path`: a temporary one, synced and renamed at the end."""
    temporary = path.with_name(f"{path.name}.tmp")
    with open(temporary, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


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
