"""The table of families: what it knows and imports, and a family from outside the package, that of docs/models.md."""

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vaecodec import families
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.data.image_set import ImageSet
from vaecodec.errors import CheckpointError, ConfigError
from vaecodec.families import PLACES, add_family, family_names, find_family, training_config
from vaecodec.families.trainables import make_trainable
from vaecodec.modelfile.model import read_model
from vaecodec.recipes.config import FORMER_FINISH, Hardware, TrainingConfig
from vaecodec.recipes.family import AnyFamily, OwnLoop
from vaecodec.recipes.objective import TrainingStep
from vaecodec.training.loop import train
from vaecodec.training.run import export, run

from .small import SMALL

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one

ROOT = Path(__file__).parents[2]
SETS = [load_dataset("mnist", split, data_dir=ROOT / "tests" / "fixtures" / "data") for split in ("train", "test")]
CPU = Hardware(device="cpu")
BUILT_ALONE = """
import sys
from vaecodec.families import training_config
config = training_config(eval(sys.stdin.read()))
assert "torch" not in sys.modules, "a config is read without torch"
from vaecodec.families.trainables import make_trainable
make_trainable(config)
print(*sorted({name.split(".")[2] for name in sys.modules if name.startswith("vaecodec.families.")} - {"trainables"}))
"""


@pytest.fixture(autouse=True)
def _nothing_stays_added(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "_added", {})


def toy() -> AnyFamily:
    """The family of docs/models.md, added by the very lines that stand there."""
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(lines, "docs/models.md", "exec"), {"__name__": "toy"})
    return find_family("toy")


def test_an_unknown_family_is_refused_at_once_and_the_message_lists_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"unknown family 'unknown'; there are: beta-vae, .*, vae$"):
        training_config({"name": "x", "data": "mnist", "family": "unknown", "model": 5})
    config = dataclasses.replace(training_config(SMALL["vae"]), family="unknown")
    with pytest.raises(ConfigError, match="unknown family"):
        make_trainable(config)


def test_every_record_has_the_name_under_which_it_stands() -> None:
    assert family_names() == tuple(sorted(PLACES))
    assert [find_family(name).name for name in PLACES] == list(PLACES)


@pytest.mark.parametrize("name", ["vae", "toy"])
def test_a_name_is_taken_once(name: str) -> None:
    record = dataclasses.replace(find_family("vae"), name="toy")
    add_family(record)
    with pytest.raises(ConfigError, match=f"family '{name}' is registered twice"):
        add_family(dataclasses.replace(record, name=name))


@pytest.mark.parametrize("family", ["vae", "nvae", "conditioned-vae"])
def test_building_a_family_imports_that_one_alone_and_reading_its_config_no_torch(family: str) -> None:
    values = next(values for values in SMALL.values() if values["family"] == family)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", BUILT_ALONE]
    done = subprocess.run(command, input=repr(values), env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [PLACES[family].split(".")[2]]


@pytest.mark.parametrize("name", SMALL)
def test_a_config_comes_back_from_its_plain_form(name: str) -> None:
    config = training_config(SMALL[name])
    assert training_config(config.to_dict()) == config


def test_another_familys_config_is_refused() -> None:
    config = training_config(SMALL["vae"])
    for change, reason in (
        ({"model": training_config(SMALL["nvae"]).model}, "model"),
        ({"objective": training_config(SMALL["capacity"]).objective}, "objective"),
        ({"finish": training_config(SMALL["nvae"]).finish}, "finish"),
    ):
        with pytest.raises(ConfigError, match=reason):
            make_trainable(dataclasses.replace(config, **change))
    with pytest.raises(ConfigError, match="family"):
        find_family("vae").check(training_config(SMALL["nvae"]))


@pytest.mark.parametrize(
    ("family", "key", "value"),
    [
        ("conditioned-vae", "prune_share", 1.0),
        ("conditioned-vae", "default_file_bytes", -1.0),
        ("nvae", "prior_steps", -1),
        ("lossless-vae", "latent_step", 0.0),
    ],
)
def test_what_a_family_is_told_of_its_finishing_is_checked(family: str, key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=key):
        training_config({**SMALL[family], "finish": {key: value}})


@pytest.mark.parametrize("name", ["vae", "nvae", "conditioned-vae", "lossless-vae"])
def test_a_stored_config_that_says_every_familys_finishing_is_read_where_it_means_nothing(name: str) -> None:
    config = training_config({**SMALL[name], "finish": {}})
    assert training_config({**SMALL[name], "finish": dict(FORMER_FINISH)}) == config
    for key, value in FORMER_FINISH.items():
        if not hasattr(config.finish, key):
            with pytest.raises(ConfigError, match=f"unknown key '{key}'"):
                training_config({**SMALL[name], "finish": {key: value + 1}})


def test_the_family_of_the_page_is_trained_and_its_files_come_back(tmp_path: Path) -> None:
    toy()
    values = {**SMALL["vae"], "family": "toy", "name": "toy"}
    values["optimiser"] = {**values["optimiser"], "steps": 8}
    path = run(training_config(values), tmp_path, *SETS, hardware=CPU, show_progress=False)
    codec, images = Codec(read_model(path)), SETS[1].images[:20]
    streams = codec.compress_batch(images)
    np.testing.assert_array_equal(codec.decompress_batch(streams), codec.lossy.synthesise(codec.lossy.analyse(images)))
    assert codec.model.family == "toy"
    assert export(tmp_path, *SETS).fingerprint == codec.model.fingerprint


def test_a_family_may_have_a_training_of_its_own(tmp_path: Path) -> None:
    def own_train(
        config: TrainingConfig, training: ImageSet, validation: ImageSet, folder: Path, **how: Any
    ) -> TrainingStep:
        trainable = train(
            dataclasses.replace(config, family="vae"), training.images, validation.images, tmp_path, **how
        )
        torch.save(trainable.state_dict(), folder / "weights.pt")
        return trainable

    def trained(config: TrainingConfig, folder: Path) -> TrainingStep:
        if not (folder / "weights.pt").exists():
            raise CheckpointError(f"{folder}: not trained yet")
        trainable = make_trainable(config)
        trainable.load_state_dict(torch.load(folder / "weights.pt"))
        return trainable

    add_family(dataclasses.replace(find_family("vae"), name="own", own_loop=OwnLoop(own_train, trained)))
    values = {**SMALL["vae"], "family": "own", "name": "own"}
    values["optimiser"] = {**values["optimiser"], "steps": 3}
    folder = tmp_path / "own"
    path = run(training_config(values), folder, *SETS, hardware=CPU, show_progress=False)
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "own.vaem", "weights.pt"]
    assert export(folder, *SETS).fingerprint == read_model(path).fingerprint
    (folder / "weights.pt").unlink()
    with pytest.raises(CheckpointError, match="not trained yet"):
        export(folder, *SETS)
