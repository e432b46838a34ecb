import os
import signal
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image
from vaecodec.cli.train import complete, merged
from vaecodec.cli.training import DataChoice

from vaecodec.codec.codec import load
from vaecodec.data import ImageSet
from vaecodec.errors import ConfigError
from vaecodec.recipes.sizes import ModelConfig
from vaecodec.recipes.suggested import sizes_for

TINY_CONFIG = """
name = "mine"
data = "folder"
[model]
latents = 2
channels = [2, 4]
hidden = 4
[optimiser]
steps = 2
batch_size = 8
[finish]
step_multipliers = [3.0]
synthesis_steps = 1
"""


def images_of(height, width, two_valued=False):
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (20, height, width)).astype(np.uint8)
    if two_valued:
        pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
    return ImageSet("My Pictures!", "train", pixels, None, (), "folder")


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    rng = np.random.default_rng(2)
    for k in range(80):
        pixels = np.zeros((28, 28), np.uint8)
        y, x = rng.integers(0, 20, 2)
        pixels[y : y + 8, x : x + 8] = rng.integers(1, 255)
        Image.fromarray(pixels).save(path / f"{k}.png")
    return path


@pytest.mark.parametrize("size", [(28, 28), (64, 64), (32, 32), (8, 8), (30, 30), (128, 128), (256, 256), (96, 64)])
def test_automatic_sizes_divide_the_images(size):
    config = ModelConfig(*size, **{key: tuple(v) if key == "channels" else v for key, v in sizes_for(*size).items()})
    _, height, width = config.feature_shape
    assert 4 <= height * width <= 100


def test_automatic_sizes_are_those_that_serve_the_two_data_sets():
    assert sizes_for(28, 28) == {"patch": 1, "channels": [32, 64]}
    assert sizes_for(64, 64) == {"patch": 4, "channels": [64, 128]}


@pytest.mark.parametrize(("size", "remedy"), [((27, 28), "28x28"), ((1, 1), "--resize"), ((300, 256), "--resize HxW")])
def test_sizes_that_do_not_divide_name_one_that_does(size, remedy):
    with pytest.raises(ConfigError, match=remedy):
        sizes_for(*size)


def test_flags_override_and_the_rest_follows_from_the_images():
    values = merged({"data": "x"}, {"beta": 2.0, "latents": 5, "steps": 7, "name": None})
    values["family"] = "beta-vae"
    config = complete(values, images_of(28, 28), choose_objective=True)
    assert (config.name, config.objective.beta, config.model.latents) == ("my-pictures-beta-vae", 2.0, 5)
    assert (config.optimiser.steps, config.objective.likelihood) == (7, "gaussian")
    assert (config.model.height, config.model.width) == (28, 28)
    two_valued = complete(
        {"data": "x", "family": "beta-vae"}, images_of(64, 64, two_valued=True), choose_objective=True
    )
    assert (two_valued.objective.likelihood, two_valued.model.patch) == ("bernoulli", 4)


def test_families_with_sizes_of_their_own_need_no_config_file():
    for two_valued, depth in ((False, 8), (True, 1)):
        values = {"data": "x", "family": "lossless-vae"}
        config = complete(values, images_of(20, 30, two_valued), choose_objective=True)
        assert (config.name, config.model.height, config.model.width) == ("my-pictures-lossless-vae", 20, 30)
        assert (config.model.bit_depth, config.objective.rate) == (depth, "uniform-noise")
    conditioned = complete({"data": "x", "family": "conditioned-vae"}, images_of(28, 28), choose_objective=True)
    deep = complete({"data": "x", "family": "nvae"}, images_of(64, 64), choose_objective=True)
    assert (deep.model.map_sides, deep.objective.rate) == ((1, 8), "uniform-noise")
    with pytest.raises(ConfigError, match="square"):
        complete({"data": "x", "family": "nvae"}, images_of(20, 30), choose_objective=True)
    assert conditioned.model.levels > 1


def test_without_a_family_one_model_has_the_whole_curve(run, folder):
    pytest.importorskip("torch")
    assert merged({"data": "x"}, {})["family"] == "conditioned-vae"
    assert "family" not in merged({"data": "x", "model": {}}, {})  # a config file's silence means what it always did
    for flags, said in (
        (("--beta", 2), "one model has the whole curve"),
        (("--minutes", 2, "--steps", 5), "one of them"),
    ):
        refused = run("train", "folder", *flags)
        assert refused.exit_code == 2
        assert said in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("shape", "tile", "values"),
    [
        ((28, 28), 0, 784),
        ((32, 32, 3), 0, 3072),
        ((128, 128, 3), 32, 3072),
        ((96, 64, 3), 32, 3072),
        ((128, 128), 64, 4096),
    ],
)
def test_colour_and_large_images_are_sizes_of_one_model(shape, tile, values):
    images = ImageSet("x", "train", np.zeros((3, *shape), np.uint8), None, (), "folder")
    config = complete({"data": "x", "family": "conditioned-vae"}, images, choose_objective=True)
    assert (config.model.tile, config.model.values, config.model.shape) == (tile, values, shape)
    assert 120 < config.optimiser.batch_size * config.model.tiles <= 128
    assert config.finish.default_file_bytes == shape[0] * shape[1] / 8


def test_a_size_that_no_tiles_fill_names_one_that_they_do():
    images = ImageSet("x", "train", np.zeros((3, 97, 97, 3), np.uint8), None, (), "folder")
    with pytest.raises(ConfigError, match="--resize 96x96"):
        complete({"data": "x", "family": "conditioned-vae"}, images, choose_objective=True)


def test_a_config_file_keeps_its_own_sizes_and_defaults():
    values = {"data": "x", "name": "n", "model": {"channels": [4]}}
    config = complete(values, images_of(28, 28), choose_objective=False)
    assert (config.model.channels, config.objective.rate) == ((4,), "gaussian-kl")
    with pytest.raises(ConfigError, match="made for images of 32x32, the data has 28x28"):
        complete(
            {**values, "model": {"height": 32, "width": 32, "channels": [4]}}, images_of(28, 28), choose_objective=0
        )


def test_a_missing_extra_is_named(fails, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install 'vaecodec[train]'" in fails("train", "folder")


def test_bad_configs_and_runs_are_errors_of_one_line(fails, tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "bad.toml").write_text("name = ")
    assert "bad.toml: " in fails("train", "bad.toml")
    (tmp_path / "none.toml").write_text('name = "x"')
    assert "needs data" in fails("train", "none.toml")
    assert "not a run folder" in fails("train", "--resume", "--out", "nowhere")
    assert "not a run folder" in fails("export", "nowhere", "out.vaem")


def test_from_a_folder_to_a_file(run, folder, tmp_path):
    """train, resume, export, models add, compress, decompress."""
    pytest.importorskip("compressai")
    (tmp_path / "config.toml").write_text(TINY_CONFIG)
    trained = run("train", "config.toml", "--device", "cpu", "--no-progress", "--steps", 3)
    assert trained.exit_code == 0, trained.stderr
    assert trained.stdout.strip() == "runs/mine/mine.vaem"
    model = tmp_path / "runs" / "mine" / "mine.vaem"
    assert load(model).geometry == (28, 28)
    assert "WebP" in trained.stderr
    assert (model.parent / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert '"grey": false' in (model.parent / "data.json").read_text()
    refused = run("train", "config.toml", "--device", "cpu", "--no-progress", "--steps", 3)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "go on with it by --resume" in refused.stderr.splitlines()[-1]
    before = load(model).fingerprint
    again = run("train", "--resume", "--out", "runs/mine", "--device", "cpu", "--no-progress")
    assert again.exit_code == 0, again.stderr
    assert load(model).fingerprint == before
    assert run("export", "runs/mine", "mine.vaem").exit_code == 0
    assert (tmp_path / "mine.vaem").read_bytes() == model.read_bytes()
    assert run("export", "runs/mine", "again.vaem", "--again").exit_code == 0
    assert load(tmp_path / "again.vaem").fingerprint == before
    assert run("models", "add", "mine.vaem").exit_code == 0
    assert run("compress", "--model", "mine", folder / "0.png", "0.vae").exit_code == 0
    assert run("decompress", "0.vae").exit_code == 0


def test_a_signal_says_how_to_go_on_and_resume_reads_the_images_as_before(run, folder, tmp_path, monkeypatch):
    """The run is planned for a hundred minutes."""
    pytest.importorskip("compressai")
    monkeypatch.setattr("vaecodec.training.loop.FIRST_SAVED_S", 0.0)
    (tmp_path / "config.toml").write_text(TINY_CONFIG.replace("steps = 2\n", ""))
    checkpoint = tmp_path / "runs" / "mine" / "checkpoint.pt"

    def send():
        while not checkpoint.exists():
            time.sleep(0.001)
        os.kill(os.getpid(), signal.SIGTERM)

    sender = threading.Thread(target=send)
    sender.start()
    stopped = run("train", "config.toml", "--device", "cpu", "--no-progress", "--resize", "28x28", "--minutes", 100)
    sender.join()
    assert (stopped.exit_code, stopped.stdout) == (143, ""), stopped.stderr
    assert "steps of 8 images fit into the time" in stopped.stderr
    assert "`vaecodec train --resume --out runs/mine` goes on" in stopped.stderr
    assert DataChoice().or_stored("runs/mine") == DataChoice(resize=(28, 28))
