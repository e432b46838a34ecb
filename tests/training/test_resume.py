"""Checkpoints: damage is refused, and a killed run that goes on ends as one that was never killed."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from vaecodec.data import load_dataset
from vaecodec.errors import CheckpointError, OutputError
from vaecodec.training.checkpoint import CHECKPOINT, load_checkpoint, load_matching
from vaecodec.training.config import TrainingConfig
from vaecodec.training.loop import Hardware, train
from vaecodec.training.run import export, read_run_config

TESTS = Path(__file__).parents[1]
DATA = TESTS / "fixtures" / "data"
VALUES: dict[str, Any] = {
    "name": "resumed",
    "data": "mnist",
    "model": {"height": 28, "width": 28, "latents": 3, "channels": [4], "hidden": 8},
    "objective": {"warmup_steps": 30},
    "optimiser": {
        "steps": 90,
        "batch_size": 16,
        "validate_every": 7,
        "checkpoint_every": 10,
        "warmup_steps": 5,
        "shift_pixels": 1,
    },
}
CONFIG = TrainingConfig.from_dict(VALUES)
CPU = Hardware(device="cpu")
KILLED = f"""
import os, signal, sys, threading, time
from pathlib import Path
import torch
from vaecodec.data import load_dataset
from vaecodec.training.config import TrainingConfig
from vaecodec.training.loop import Hardware, train

def kill_at_step_35(folder):
    metrics = folder / "metrics.jsonl"
    while not (metrics.exists() and metrics.read_text().count("\\n") >= 5):
        time.sleep(0.0005)
    os.kill(os.getpid(), signal.SIGKILL)

torch.set_num_threads(1)
folder = Path(sys.argv[1])
threading.Thread(target=kill_at_step_35, args=(folder,), daemon=True).start()
images, held_out = (load_dataset("mnist", split, data_dir=sys.argv[2]).images for split in ("train", "validation"))
config = TrainingConfig.from_dict({VALUES!r})
train(config, images, held_out, folder, hardware=Hardware(device="cpu"), show_progress=False)
"""


def run(folder: Path, **options: Any) -> torch.nn.Module:
    images, held_out = (load_dataset("mnist", split, data_dir=DATA).images for split in ("train", "validation"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train(CONFIG, images, held_out, folder, hardware=CPU, show_progress=False, **options)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was not interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(folder)
    return folder


def metrics(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "elapsed_s"} for line in lines]


def test_a_run_killed_and_resumed_ends_with_the_same_weights_and_metrics(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    env = {**os.environ, "PYTHONPATH": str(TESTS.parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder), str(DATA)], env=env, check=False)
    assert done.returncode == -signal.SIGKILL
    assert 30 <= load_checkpoint(folder).step < 90
    resumed = run(folder, resume=True).state_dict()
    expected, found = load_checkpoint(whole), load_checkpoint(folder)
    assert resumed.keys() == expected.model.keys()
    for name, tensor in expected.model.items():
        assert torch.equal(resumed[name], tensor), name
        assert torch.equal(found.model[name], tensor), name
    for key, state in expected.optimiser["state"].items():
        for name, value in state.items():
            assert torch.equal(found.optimiser["state"][key][name], value)
    assert metrics(folder) == metrics(whole)
    assert [line["step"] for line in metrics(folder)] == [*range(7, 90, 7), 90]


def test_a_finished_run_resumes_to_what_it_is(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "again")
    weights = run(folder, resume=True).state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in load_checkpoint(whole).model.items())
    assert metrics(folder) == metrics(whole)


def test_a_folder_with_a_run_is_not_overwritten(whole: Path) -> None:
    with pytest.raises(OutputError, match="--resume"):
        run(whole)


def test_another_config_is_refused(whole: Path) -> None:
    config = CONFIG.to_dict()
    assert load_matching(whole, config).step == 90
    with pytest.raises(CheckpointError, match="another config"):
        load_matching(whole, {**config, "seed": 1})


def test_a_damaged_checkpoint_is_refused_or_holds_the_same_weights(whole: Path, tmp_path: Path) -> None:
    data = (whole / CHECKPOINT).read_bytes()
    expected, refused = load_checkpoint(whole).model, 0
    rng = random.Random(0)
    cuts = [data[: rng.randrange(len(data))] for _ in range(20)]
    flips = []
    for offset in rng.sample(range(len(data)), 150):
        flips.append(data[:offset] + bytes([data[offset] ^ 1 << rng.randrange(8)]) + data[offset + 1 :])
    for damaged in [*cuts, *flips]:
        (tmp_path / CHECKPOINT).write_bytes(damaged)
        try:
            found = load_checkpoint(tmp_path)
        except CheckpointError:
            refused += 1
        else:  # the zip file's padding
            assert all(torch.equal(found.model[name], tensor) for name, tensor in expected.items())
    assert refused > 130


@pytest.mark.parametrize("content", [b"", b"hello", torch.zeros(3), [1, 2], {"step": "a"}, {"step": 1}])
def test_what_is_no_checkpoint_is_refused(content: Any, tmp_path: Path) -> None:
    file = io.BytesIO()
    if not isinstance(content, bytes):
        torch.save(content, file)
    (tmp_path / CHECKPOINT).write_bytes(content if isinstance(content, bytes) else file.getvalue())
    with pytest.raises(CheckpointError, match=CHECKPOINT):
        load_checkpoint(tmp_path)


class Harmful:
    def __reduce__(self) -> tuple:
        return os.system, ("echo harmful",)


def test_a_checkpoint_runs_no_code(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    torch.save({"step": Harmful()}, tmp_path / CHECKPOINT)
    with pytest.raises(CheckpointError):
        load_checkpoint(tmp_path)
    assert "harmful" not in capfd.readouterr().out


def test_a_run_that_is_not_done_is_not_exported(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "short")
    longer = {**CONFIG.to_dict(), "optimiser": {**CONFIG.to_dict()["optimiser"], "steps": 91}}
    (folder / "config.json").write_text(json.dumps(longer))
    images = load_dataset("mnist", "validation", data_dir=DATA)
    with pytest.raises(CheckpointError, match="90 of 91 steps"):
        export(folder, images, images)


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="not a run folder"):
        read_run_config(tmp_path)
