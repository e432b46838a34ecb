"""Checkpoints: damage is refused, and a killed run that goes on ends as one that was never killed."""

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from vaecodec.data import load_dataset
from vaecodec.errors import CheckpointError, ConfigError, OutputError
from vaecodec.families import training_config
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.training import loop
from vaecodec.training.checkpoint import load_checkpoint, load_matching, save_checkpoint
from vaecodec.training.interrupt import Stopped
from vaecodec.training.loop import Diverged, _Run, train
from vaecodec.training.plan import LEAST_STEPS, planned
from vaecodec.training.run import export
from vaecodec.training.run_folder import CHECKPOINT, write_config

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one

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
        "unmoved_steps": 40,
    },
}
CONFIG = training_config(VALUES)
CPU = Hardware(device="cpu")
KILLED = f"""
import os, signal, sys, threading, time
from collections.abc import Iterator
from pathlib import Path
import torch
from vaecodec.data import load_dataset
from vaecodec.families import training_config
from vaecodec.training.loop import train
from vaecodec.recipes.config import Hardware

def kill_at_step_35(folder):
    metrics = folder / "metrics.jsonl"
    while not (metrics.exists() and metrics.read_text().count("\\n") >= 5):
        time.sleep(0.0005)
    os.kill(os.getpid(), signal.SIGKILL)

torch.set_num_threads(1)
folder = Path(sys.argv[1])
threading.Thread(target=kill_at_step_35, args=(folder,), daemon=True).start()
images, held_out = (load_dataset("mnist", split, data_dir=sys.argv[2]).images for split in ("train", "validation"))
config = training_config({VALUES!r})
train(config, images, held_out, folder, hardware=Hardware(device="cpu"), show_progress=False)
"""


def run(folder: Path, config: TrainingConfig = CONFIG, *, skip: int = 0, **options: Any) -> torch.nn.Module:
    """skip: images to leave out, so that the training data is another."""
    images, held_out = (load_dataset("mnist", split, data_dir=DATA).images for split in ("train", "validation"))
    options = {"hardware": CPU, "show_progress": False, **options}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return train(config, images[skip:], held_out, folder, **options)
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


@pytest.fixture
def heard(number: int) -> Iterator[None]:
    """A program that is run in the background may be told to ignore SIGINT, as its tests then are."""
    before = signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    signal.signal(number, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_step_and_the_run_goes_on_from_there(number: int, whole: Path, tmp_path: Path) -> None:
    folder, before = tmp_path / "stopped", signal.getsignal(number)

    def send() -> None:
        said = folder / "metrics.jsonl"
        while not (said.exists() and said.read_text().count("\n") >= 2):
            time.sleep(0.0005)
        os.kill(os.getpid(), number)

    sender = threading.Thread(target=send)
    sender.start()
    with pytest.raises(Stopped, match="of 90 is saved") as caught:
        run(folder)
    sender.join()
    assert caught.value.number == number
    assert signal.getsignal(number) is before
    stopped = load_checkpoint(folder).step
    assert 14 <= stopped < 90
    resumed = run(folder, resume=True).state_dict()
    assert all(torch.equal(resumed[name], tensor) for name, tensor in load_checkpoint(whole).model.items())
    assert metrics(folder) == metrics(whole)


def test_a_run_that_was_ended_before_its_first_step_goes_on(whole: Path, tmp_path: Path) -> None:
    write_config(CONFIG, tmp_path)
    resumed = run(tmp_path, resume=True).state_dict()
    assert all(torch.equal(resumed[name], tensor) for name, tensor in load_checkpoint(whole).model.items())


def test_slow_steps_are_reported_and_saved_by_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "FIRST_SAVED_S", 0.0)
    monkeypatch.setattr(loop, "SAVED_EVERY_S", 0.0)
    rare = replace(CONFIG, optimiser=replace(CONFIG.optimiser, steps=4, validate_every=1000, checkpoint_every=1000))
    run(tmp_path, rare)
    assert [line["step"] for line in metrics(tmp_path)] == [1, 2, 3, 4]


def test_a_plan_has_fewer_steps_for_less_time_and_trains_nothing(tmp_path: Path) -> None:
    images, held_out = (load_dataset("mnist", split, data_dir=DATA) for split in ("train", "validation"))
    long, short, none = (planned(CONFIG, images, held_out, CPU, left_s=seconds) for seconds in (4000, 500, 0))
    assert long.optimiser.steps > 2 * short.optimiser.steps > 2 * none.optimiser.steps
    assert none.optimiser.steps == LEAST_STEPS
    assert none.optimiser.warmup_steps <= none.optimiser.validate_every == none.optimiser.checkpoint_every == 2
    assert replace(short, optimiser=CONFIG.optimiser) == CONFIG


def test_a_finished_run_resumes_to_what_it_is(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "again")
    weights = run(folder, resume=True).state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in load_checkpoint(whole).model.items())
    assert metrics(folder) == metrics(whole)


def test_a_folder_with_a_run_is_not_overwritten(whole: Path) -> None:
    with pytest.raises(OutputError, match="--resume"):
        run(whole)


def test_another_config_is_refused(whole: Path) -> None:
    assert load_matching(whole, CONFIG).step == 90
    with pytest.raises(CheckpointError, match=r"another config \(seed: 0, now 1\)"):
        load_matching(whole, replace(CONFIG, seed=1))
    wider = replace(CONFIG, model=replace(CONFIG.model, channels=(5,)))
    with pytest.raises(CheckpointError, match=r"another config \(model\.channels: \[4\], now \[5\]\)"):
        run(whole, wider, resume=True)


def test_a_finished_run_may_be_made_into_a_codec_another_way(whole: Path) -> None:
    other = replace(CONFIG, finish=replace(CONFIG.finish, synthesis_steps=3))
    assert other != CONFIG
    assert load_matching(whole, other).step == 90


def test_a_config_without_what_is_new_since_means_its_defaults(whole: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(whole)
    older = {name: value for name, value in checkpoint.config.items() if name != "seed"}
    save_checkpoint(tmp_path, replace(checkpoint, config=older))
    assert load_matching(tmp_path, CONFIG).step == 90
    save_checkpoint(tmp_path, replace(checkpoint, config={**older, "of_a_later_release": 1}))
    with pytest.raises(CheckpointError, match="of_a_later_release: 1, now nothing"):
        load_matching(tmp_path, CONFIG)


def test_other_training_images_are_refused(whole: Path) -> None:
    before = (whole / "metrics.jsonl").read_bytes()
    with pytest.raises(CheckpointError, match="training_sha256"):
        run(whole, resume=True, skip=1)
    assert (whole / "metrics.jsonl").read_bytes() == before


@pytest.mark.parametrize(("condition", "value"), [("mixed_precision", "bf16"), ("device", "cuda"), ("processes", 2)])
def test_other_hardware_is_refused_by_name(condition: str, value: Any, whole: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(whole)
    here = getattr(checkpoint.conditions, condition)
    save_checkpoint(tmp_path, replace(checkpoint, conditions=replace(checkpoint.conditions, **{condition: value})))
    with pytest.raises(CheckpointError, match=f"{condition}: {value}, now {here}"):
        run(tmp_path, resume=True)


def test_what_the_hardware_cannot_do_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"fp16|mixed_precision"):
        run(tmp_path, hardware=Hardware(device="cpu", mixed_precision="fp16"))


def test_the_scale_of_fp16s_gradients_is_kept(whole: Path, tmp_path: Path) -> None:
    """A CPU has no fp16 training, so that its scaler is put in by hand here."""
    images = load_dataset("mnist", "train", data_dir=DATA).images
    first, second = (_Run(CONFIG, images, images, tmp_path, CPU) for _ in range(2))
    first.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=4.0, growth_factor=3.0)
    first._save()
    assert load_checkpoint(tmp_path).scaler["scale"] == 4.0
    second.accelerator.scaler = torch.amp.GradScaler("cpu")
    second.start(resume=True)
    assert second.accelerator.scaler.state_dict() == first.accelerator.scaler.state_dict()
    assert load_checkpoint(whole).scaler == {}


def test_what_a_resume_writes_anew_is_replaced_whole(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if the process ended between a temporary file and its rename."""
    folder = shutil.copytree(whole, tmp_path / "cut")
    with open(folder / "metrics.jsonl", "a") as file:
        file.write('{"step": 97}\n')
    before = {name: (folder / name).read_bytes() for name in ("metrics.jsonl", "config.json")}
    replace_file = os.replace

    def end(source: Path, target: Path) -> None:
        if Path(target).name == cut:
            raise KeyboardInterrupt
        replace_file(source, target)

    monkeypatch.setattr(os, "replace", end)
    for cut in before:
        with pytest.raises(KeyboardInterrupt):
            run(folder, resume=True)
        assert (folder / cut).read_bytes() == before[cut]


@pytest.mark.parametrize(("rate", "what"), [(1e30, "objective is nan|objective is inf"), (1e39, "a weight is not")])
def test_no_checkpoint_holds_what_is_not_a_number(rate: float, what: str, tmp_path: Path) -> None:
    optimiser = replace(
        CONFIG.optimiser, learning_rate=rate, warmup_steps=0, validate_every=1000, checkpoint_every=1, steps=20
    )
    with pytest.raises(Diverged, match=what):
        run(tmp_path, replace(CONFIG, optimiser=optimiser))
    if (tmp_path / CHECKPOINT).exists():
        assert all(tensor.isfinite().all() for tensor in load_checkpoint(tmp_path).model.values())


def test_a_progress_bar_into_a_file_is_a_few_lines(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, show_progress=True)
    drawn = capfd.readouterr().err
    assert "90/90" in drawn
    assert drawn.count("\r") <= 3


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


def test_what_a_signal_has_left_is_exported_and_says_so(whole: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(whole)
    folder = shutil.copytree(whole, tmp_path / "cut")
    save_checkpoint(folder, replace(checkpoint, step=37))
    images, held_out = (load_dataset("mnist", split, data_dir=DATA) for split in ("train", "validation"))
    assert export(folder, images, held_out).about["stopped_at_step"] == 37
    assert "stopped_at_step" not in export(whole, images, held_out).about


def test_a_run_is_exported_with_its_own_config_and_images_alone(whole: Path, tmp_path: Path) -> None:
    images, others = (load_dataset("mnist", split, data_dir=DATA) for split in ("train", "validation"))
    with pytest.raises(CheckpointError, match="other training images"):
        export(whole, others, others)
    folder = shutil.copytree(whole, tmp_path / "edited")
    edited = {**CONFIG.to_dict(), "objective": {**CONFIG.to_dict()["objective"], "beta": 2.0}}
    (folder / "config.json").write_text(json.dumps(edited))
    with pytest.raises(CheckpointError, match=r"another config \(objective\.beta: 1\.0, now 2\.0\)"):
        export(folder, images, others)
