"""Two real processes train one model: their weights stay equal, though a parameter gets no gradient."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vaecodec.data import load_dataset
from vaecodec.errors import CheckpointError
from vaecodec.families import training_config
from vaecodec.recipes.config import Hardware
from vaecodec.training.checkpoint import load_checkpoint
from vaecodec.training.loop import train

pytestmark = pytest.mark.timeout(300)  # three imports of torch, on a machine that may be busy

TESTS = Path(__file__).parents[1]
DATA = TESTS / "fixtures" / "data"
VALUES = {
    "name": "shared",
    "data": "mnist",
    "model": {"height": 28, "width": 28, "latents": 3, "channels": [4], "hidden": 8},
    "objective": {"rate": "uniform-noise"},  # the head of the variance is unused
    "optimiser": {"steps": 6, "batch_size": 7, "warmup_steps": 2, "validate_every": 2, "checkpoint_every": 3},
}
WORKER = f"""
import os, sys
from pathlib import Path
import torch
from vaecodec.data import load_dataset
from vaecodec.families import training_config
from vaecodec.training.loop import train
from vaecodec.recipes.config import Hardware

torch.set_num_threads(1)
folder, data = Path(sys.argv[1]), sys.argv[2]
images, held_out = (load_dataset("mnist", split, data_dir=data).images for split in ("train", "validation"))
config = training_config({VALUES!r})
trained = train(config, images, held_out[:50], folder / "run", hardware=Hardware(device="cpu"), show_progress=False)
assert torch.distributed.get_world_size() == 2
torch.save(trained.state_dict(), folder / f"weights-{{os.environ['RANK']}}.pt")
torch.distributed.destroy_process_group()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the two processes leave: run/ and the weights of each."""
    folder = tmp_path_factory.mktemp("processes")
    (folder / "worker.py").write_text(WORKER)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    env = {**os.environ, "PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"}
    subprocess.run([*command, str(folder / "worker.py"), str(folder), str(DATA)], env=env, check=True, timeout=290)
    return folder


def test_two_processes_end_with_the_same_weights(folder: Path) -> None:
    first, second = (torch.load(folder / f"weights-{rank}.pt", weights_only=True) for rank in range(2))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    checkpoint = load_checkpoint(folder / "run")
    assert checkpoint.step == 6
    assert checkpoint.conditions.processes == 2
    assert all(torch.equal(first[name], tensor) for name, tensor in checkpoint.model.items())
    assert len((folder / "run" / "metrics.jsonl").read_text().splitlines()) == 3


def test_one_process_does_not_go_on_with_the_run_of_two(folder: Path) -> None:
    images, held_out = (load_dataset("mnist", split, data_dir=DATA).images for split in ("train", "validation"))
    config, hardware = training_config(VALUES), Hardware(device="cpu")
    with pytest.raises(CheckpointError, match="processes: 2, now 1"):
        train(config, images, held_out, folder / "run", resume=True, hardware=hardware, show_progress=False)
