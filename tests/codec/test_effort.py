"""Effort: none changes nothing, and whatever writes streams spends it alike."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vaecodec
import vaecodec.integrations.pillow
from vaecodec.bitstream.stream import unpack
from vaecodec.codec.codec import Codec
from vaecodec.codec.effort import ROUNDS
from vaecodec.codec.search import MAX_EVALUATIONS
from vaecodec.codec.target import MAX_EFFORT, Setting, Target
from vaecodec.data import load_dataset
from vaecodec.errors import ConfigError, ModelError
from vaecodec.exact.gradient import ExactGradient
from vaecodec.modelfile.model import read_model

TESTS = Path(__file__).parents[1]
CODEC = Codec(read_model(TESTS / "golden" / "v1" / "levels.vaem"))
JOINED = Codec(read_model(TESTS / "golden" / "v1" / "joined.vaem"))
SILENT = Codec(replace(CODEC.model, about={"note": "made up"}))
IMAGES = list(load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data").images[:5])
IMAGES[2] = IMAGES[2][:20, 3:25]


def streams(effort: int) -> list[bytes]:
    return CODEC.compress_batch(IMAGES, level=5, effort=effort)


def test_effort_0_is_the_default() -> None:
    assert streams(0) == [CODEC.compress(image, level=5) for image in IMAGES]


@pytest.mark.parametrize("effort", [1, 2])
def test_a_batch_of_sizes_and_levels_has_the_streams_of_its_images(effort: int) -> None:
    assert streams(effort) == [CODEC.compress(image, level=5, effort=effort) for image in IMAGES]
    assert streams(effort) != streams(0)
    settings = [Setting(k, effort * (k % 2)) for k in range(5)]
    mixed = CODEC.lossy.compress(CODEC.frame.fit_all(IMAGES), settings)
    alone = [CODEC.compress(i, level=s.level, effort=s.effort) for i, s in zip(IMAGES, settings, strict=True)]
    assert mixed == alone


@pytest.mark.parametrize("effort", [1, 2])
def test_an_image_decodes_better_for_its_bytes(effort: int) -> None:
    def points(used: int) -> np.ndarray:
        """(bits, squared error) of all images."""
        total = np.zeros(2)
        for data, image in zip(streams(used), IMAGES, strict=True):
            symbols = CODEC.lossy.decode_payload(unpack(data).payload, 5)
            error = np.square(CODEC.decompress(data).astype(float) - image).sum()
            total += CODEC.lossy.information_bits(symbols[None], 5)[0], error
        return total

    bits, error = points(effort) / points(0)
    assert bits < 1.05
    assert bits * error < 0.97


def test_archives_spend_it_as_streams_do(tmp_path: Path) -> None:
    path = tmp_path / "some.vaea"
    with vaecodec.ArchiveWriter.create(path, CODEC, level=5, effort=1) as writer:
        writer.add_batch(IMAGES[:2])
        writer.add(IMAGES[2], level=4)
        writer.add(IMAGES[3], target=Target(level=5))
    with vaecodec.ArchiveWriter.append(path, CODEC, target=Target(level=5, effort=2)) as writer:
        writer.add(IMAGES[4])
    settings = [Setting(5, 1), Setting(5, 1), Setting(4, 1), Setting(5, 0), Setting(5, 2)]
    with vaecodec.Archive(path, model=CODEC) as archive:
        for found, data in zip(archive, CODEC.lossy.compress(CODEC.frame.fit_all(IMAGES), settings), strict=True):
            np.testing.assert_array_equal(found, CODEC.decompress(data))


def test_pillow_saves_with_it(tmp_path: Path) -> None:
    Image.fromarray(IMAGES[0]).save(tmp_path / "one.vae", model=CODEC, level=5, effort=1)
    assert (tmp_path / "one.vae").read_bytes() == CODEC.compress(IMAGES[0], level=5, effort=1)


def test_exact_streams_do_not_change() -> None:
    assert JOINED.compress(IMAGES[0], lossless=True, effort=2) == JOINED.compress(IMAGES[0], lossless=True)


def test_a_model_that_does_not_say_what_its_beta_weighs_takes_effort_0_alone(tmp_path: Path) -> None:
    assert SILENT.compress(IMAGES[0], level=5)
    with pytest.raises(ModelError, match="effort 0 alone"):
        SILENT.compress(IMAGES[0], effort=1)
    with pytest.raises(ModelError, match="effort 0 alone"):
        vaecodec.ArchiveWriter.create(tmp_path / "no.vaea", SILENT, effort=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("effort", [-1, 3])
def test_other_efforts_are_refused(effort: int) -> None:
    with pytest.raises(ConfigError, match=r"effort: expected 0\.\.2"):
        CODEC.compress(IMAGES[0], effort=effort)


class Counting(ExactGradient):
    """Counts the images whose values or gradients are asked for."""

    images = 0

    def values(self, x: np.ndarray) -> list[np.ndarray]:
        self.images += len(x)
        return super().values(x)

    def __call__(self, values: list[np.ndarray], result: np.ndarray) -> np.ndarray:
        self.images += len(result)
        return super().__call__(values, result)


def evaluations(effort: int) -> int:
    """Of one stream, at most: the analysis, the first symbols and each round's, the gradients of all but the last."""
    return 1 + 2 * ROUNDS[effort] + bool(effort)


@pytest.mark.parametrize("effort", [1, 2])
def test_no_stream_takes_more_evaluations_than_it_may(effort: int) -> None:
    codec = Codec(CODEC.model)
    codec.compress(IMAGES[0], level=5, effort=effort)  # what a level needs is counted once
    counting = codec.lossy.refiner._gradient = Counting(codec.model.synthesis, codec.model.latents)
    for image in IMAGES:
        before = counting.images
        codec.compress(image, level=5, effort=effort)
        assert 1 < counting.images - before <= evaluations(effort) - 1


def test_the_page_says_what_each_effort_takes() -> None:
    page = (TESTS.parent / "docs" / "cli.md").read_text(encoding="utf-8")
    assert len(ROUNDS) == MAX_EFFORT + 1
    assert f"| 0, the default | {evaluations(0)} | {MAX_EVALUATIONS} |" in page
    for effort in range(1, MAX_EFFORT + 1):
        stream = evaluations(effort)
        assert f"| {effort} | {stream} | {MAX_EVALUATIONS * (1 + stream) + 1 + stream} |" in page
