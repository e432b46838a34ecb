"""A lossless-vae from its config to exact files: small, real, end to end."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.lossless import measure_archive
from benchmarks.measuring.exact_files import measure_exact_files
from benchmarks.studies.foreign import crops, grey
from benchmarks.studies.lossless_parts import measure_parts
from tests.families.small import EXACT, EXACT_DRAWN
from vaecodec.codec.codec import Codec
from vaecodec.data import load_dataset
from vaecodec.data.image_set import ImageSet
from vaecodec.errors import ConfigError
from vaecodec.families import training_config
from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.families.lossless.finish import cut_units
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.families.trainables import make_trainable
from vaecodec.modelfile.model import pack_model, read_model, unpack_model
from vaecodec.recipes.config import Hardware, TrainingConfig
from vaecodec.recipes.pack_analysis import floats_of
from vaecodec.training.run import export, finish, run

pytestmark = pytest.mark.timeout(600)  # a fixture trains: seconds of a core, minutes of a busy one
DATA = Path(__file__).parents[2] / "fixtures" / "data"
SPLITS = ("train", "validation", "test")
SIZES = {"mnist": EXACT, "dsprites": EXACT_DRAWN}


def config_of(data: str, **objective: object) -> TrainingConfig:
    return training_config(
        {
            "name": f"exact-{data}",
            "family": "lossless-vae",
            "data": data,
            "model": SIZES[data],
            "objective": objective,
            "optimiser": {"steps": 30, "batch_size": 24, "learning_rate": 4e-3, "warmup_steps": 5},
            "finish": {"synthesis_steps": 8},
        }
    )


class Trained:
    """A run, its data and its model."""

    def __init__(self, data: str, folder: Path) -> None:
        self.folder, self.sets = folder, [load_dataset(data, split, data_dir=DATA) for split in SPLITS]
        path = run(config_of(data), folder, *self.sets[:2], hardware=Hardware(device="cpu"), show_progress=False)
        self.codec = Codec(read_model(path))
        self.images = self.sets[2].images[:24]


@pytest.fixture(scope="module", params=["mnist", "dsprites"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(request.param, tmp_path_factory.mktemp(request.param))


def test_every_image_comes_back_from_its_file_and_from_an_archive(trained: Trained) -> None:
    files = measure_exact_files(trained.codec, trained.images)  # they raise where an image does not
    archive = measure_archive(trained.codec, trained.images)
    raw = trained.images[0].size / (1 if trained.codec.lossless.part.likelihood.bit_depth == 8 else 8)
    assert files["stored"] == 0
    assert files["bytes"] < 0.7 * raw
    assert archive["bytes"] < len(trained.images) * files["bytes"] + 1000


def test_units_that_no_training_image_wakes_are_cut(trained: Trained) -> None:
    """And the graph has the rest alone: it gives the latents that the trained network gives."""
    network = LosslessVAE(LosslessConfig(**trained.codec.model.about["config"]["model"])).analysis
    images = trained.sets[0].images
    with torch.no_grad():
        network.layers.enter.bias[:9] = -1000
        whole = network(torch.from_numpy(images.astype(np.float32) / 255))
        assert cut_units(network, images) <= network.layers.leave.in_features < 32 - 8
        torch.testing.assert_close(network(torch.from_numpy(images.astype(np.float32) / 255)), whole)
    stored = trained.codec.model.stored_lossless
    assert stored is not None
    left = trained.codec.model.about["finish"]["analysis_units"]
    assert floats_of(stored.analysis.graph)["analysis.layers.leave.weight"].shape[1] == left


def test_the_record_says_what_files_take(trained: Trained) -> None:
    finish = trained.codec.model.about["finish"]
    bits = finish["validation_bits"]
    assert bits["pixels_fine_tuned"] == pytest.approx(sum(bits["phases_fine_tuned"]))
    assert bits["pixels_exact"] < 1.2 * bits["pixels_float"]
    held_out = trained.sets[1].images[:60]
    symbols = trained.codec.lossless.analyse(trained.codec.frame.fit_all(held_out))
    found = measure_parts(trained.codec.lossless.part, symbols, held_out)
    if len(held_out) == len(trained.sets[1]):
        assert found.latents == pytest.approx(bits["latents"])
        assert found.pixels_both == pytest.approx(bits["pixels_fine_tuned"], rel=3e-3)
    assert finish["coded_latents"] == trained.codec.lossless.part.tables.n > 0


def test_the_middle_of_the_symbols_is_whole_as_it_was_in_training(trained: Trained) -> None:
    center = trained.codec.lossless.part.quantizer.center
    np.testing.assert_array_equal(center, np.rint(center))


def test_the_parts_add_up_and_context_saves_bits(trained: Trained) -> None:
    symbols = trained.codec.lossless.analyse(trained.codec.frame.fit_all(trained.images))
    found = measure_parts(trained.codec.lossless.part, symbols, trained.images)
    assert sum(found.phases) == pytest.approx(found.pixels_both)
    assert found.pixels_both < found.pixels_without_context
    assert set(found.to_dict(784)["bits_per_pixel"]) == {"both", "without_latents", "without_context", "with_neither"}


def test_export_gives_the_runs_model_again(trained: Trained) -> None:
    again = export(trained.folder, *trained.sets[:2])
    assert again.fingerprint == trained.codec.fingerprint
    assert unpack_model(pack_model(again)).fingerprint == trained.codec.fingerprint


def test_a_model_whose_latents_carry_nothing_still_codes_exactly() -> None:
    config = config_of("mnist")
    trainable = make_trainable(config).eval()
    with torch.no_grad():
        for layer in (trainable.model.analysis.straight, trainable.model.analysis.layers.leave):
            for parameter in layer.parameters():
                parameter.zero_()
    sets = [_first(load_dataset("mnist", split, data_dir=DATA), 60) for split in SPLITS]
    codec = Codec(finish(trainable, config, *sets[:2]))
    assert codec.lossless.part.tables.n == 1  # a model file has at least one latent
    assert measure_exact_files(codec, sets[2].images[:5])["images"] == 5


def test_rounded_latents_are_what_files_have() -> None:
    config = config_of("mnist", rounded_share=1.0)
    trainable = make_trainable(config)
    x = torch.from_numpy(load_dataset("mnist", "test", data_dir=DATA).images[:8].astype(np.float32) / 255)
    with torch.no_grad():
        found = trainable(x, 1.0, torch.Generator().manual_seed(0))
        y = trainable.model.analyse(x).round()
        expected = trainable.model.pixel_nats(y, (x * 255).round().to(torch.uint8)).sum(dim=1).mean()
    torch.testing.assert_close(found.distortion_nats, expected)
    assert float(found.objective_nats) == pytest.approx(float(found.distortion_nats + found.rate_nats), rel=1e-5)
    assert math.isfinite(found.rate_nats)


@pytest.mark.parametrize("objective", [{"rate": "gaussian-kl"}, {"beta": 2.0}, {"rounded_share": 1.5}])
def test_an_objective_that_the_family_cannot_take_is_refused(objective: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        config_of("mnist", **objective)


def test_crops_of_photographs_are_grey_and_of_the_asked_size() -> None:
    rng = np.random.default_rng(0)
    photo = grey(rng.integers(0, 256, (40, 50, 3), dtype=np.uint8))
    small = np.zeros((3, 3), np.uint8)
    found = crops([photo, small], 7, (28, 30), rng)
    assert found.shape == (7, 28, 30)
    assert found.dtype == np.uint8
    assert found.std() > 10


def _first(images: ImageSet, count: int) -> ImageSet:
    labels = None if images.labels is None else images.labels[:count]
    return ImageSet(images.name, images.split, images.images[:count], labels, images.label_names, images.source)
