"""A run folder's config: written, read without torch, refused where it is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaecodec.errors import CheckpointError
from vaecodec.families import training_config
from vaecodec.recipes.config import TrainingConfig
from vaecodec.training.run_folder import CONFIG, read_run_config, write_config

ROOT = Path(__file__).parents[2]
READ = """
import sys
from pathlib import Path
from vaecodec.training.run_folder import read_run_config
print(read_run_config(Path(sys.argv[1])).name, "torch" in sys.modules)
"""


@pytest.fixture
def config() -> TrainingConfig:
    return training_config({"name": "mine", "data": "mnist", "family": "vae", "model": {"height": 28, "width": 28}})


def test_a_config_comes_back_from_its_folder(config: TrainingConfig, tmp_path: Path) -> None:
    write_config(config, tmp_path / "run")
    assert read_run_config(tmp_path / "run") == config
    assert [file.name for file in (tmp_path / "run").iterdir()] == [CONFIG]


def test_it_is_read_without_torch(config: TrainingConfig, tmp_path: Path) -> None:
    write_config(config, tmp_path)
    command, env = [sys.executable, "-c", READ, str(tmp_path)], {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["mine", "False"]


@pytest.mark.parametrize("content", [None, b"{", b"\xff"])
def test_a_folder_without_a_run_is_refused(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / CONFIG).write_bytes(content)
    with pytest.raises(CheckpointError, match="not a run folder"):
        read_run_config(tmp_path)
