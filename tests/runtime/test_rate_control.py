"""Rate control: a target is met, or the error says what the best is; no search costs more than it may."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaecodec.bitstream.stream import unpack
from vaecodec.data import load_dataset
from vaecodec.errors import ConfigError, TargetMissed
from vaecodec.runtime.codec import Codec
from vaecodec.runtime.model_file import read_model
from vaecodec.runtime.rate_control import MAX_EVALUATIONS, Target, _finest, search

TESTS = Path(__file__).parents[1]
CODEC = Codec(read_model(TESTS / "golden" / "levels.vaem"))
LAST = len(CODEC.model.levels) - 1
IMAGES = load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data").images[:60]


def level_of(data: bytes) -> int:
    return unpack(data).coding


def mse_of(data: bytes, image: np.ndarray) -> float:
    return float(np.square(CODEC.decompress(data).astype(float) - image).mean())


def test_quality_goes_from_the_coarsest_level_to_the_finest() -> None:
    levels = [level_of(CODEC.compress(IMAGES[0], quality=q)) for q in range(0, 101, 5)]
    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (0, LAST)


def test_beta_takes_the_nearest_level() -> None:
    for number, level in enumerate(CODEC.model.levels):
        assert level_of(CODEC.compress(IMAGES[0], beta=level.beta * 1.02)) == number
    assert level_of(CODEC.compress(IMAGES[0], beta=1e9)) == 0


def test_without_a_target_it_is_the_models_default_level() -> None:
    assert level_of(CODEC.compress(IMAGES[0])) == CODEC.model.default_level


@pytest.mark.parametrize("most", [12, 16, 24, 40])
def test_target_bytes_is_never_exceeded_and_the_next_finer_level_would_exceed_it(most: int) -> None:
    found = search(CODEC, IMAGES, Target(target_bytes=most))
    for one, image in zip(found, IMAGES, strict=True):
        sizes = [len(CODEC.compress(image, level=level)) for level in range(LAST + 1)]
        assert one.meets == (min(sizes) <= most)
        if one.meets:
            assert sizes[one.level] <= most
            assert one.level == LAST or sizes[one.level + 1] > most


def test_compress_to_target_bytes_keeps_it_in_batches_too() -> None:
    sizes = [len(data) for data in CODEC.compress_batch(IMAGES, target=Target(target_bytes=30))]
    assert max(sizes) <= 30
    assert np.mean(sizes) > 20


@pytest.mark.parametrize("psnr", [10.0, 15.0])
def test_target_psnr_is_reached_on_the_decoded_image(psnr: float) -> None:
    largest = 255**2 / 10 ** (psnr / 10)
    met = 0
    for one, image in zip(search(CODEC, IMAGES, Target(target_psnr=psnr)), IMAGES, strict=True):
        if one.meets:
            data = CODEC.compress(image, target_psnr=psnr)
            assert level_of(data) == one.level
            assert mse_of(data, image) <= largest
            met += 1
    assert met > len(IMAGES) / 2


def test_a_small_image_is_measured_on_its_own_pixels() -> None:
    image = IMAGES[3][:20, :22]
    best = min(mse_of(CODEC.compress(image, level=level), image) for level in range(LAST + 1))
    data = CODEC.compress(image, max_mse=best * 1.01)
    assert mse_of(data, image) <= best * 1.01


def test_a_target_that_cannot_be_met_says_the_best_there_is() -> None:
    with pytest.raises(TargetMissed, match=r"target of 3 bytes: .* needs \d+"):
        CODEC.compress(IMAGES[0], target_bytes=3)
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    with pytest.raises(TargetMissed, match=r"the best .* dB"):
        CODEC.compress(noise, target_psnr=40)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"quality": 101}, "quality"),
        ({"quality": -1}, "quality"),
        ({"beta": 0}, "beta"),
        ({"beta": math.nan}, "beta"),
        ({"target_bytes": 0}, "target_bytes"),
        ({"target_psnr": math.inf}, "target_psnr"),
        ({"max_mse": -1}, "max_mse"),
        ({"quality": 5, "beta": 1}, "give one"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        CODEC.compress(IMAGES[0], **settings)


@pytest.mark.parametrize("levels", [1, 2, 8, 48, 112])
def test_a_search_is_right_where_passing_is_monotonic_and_stays_within_its_evaluations(levels: int) -> None:
    limits = np.random.default_rng(levels).integers(-1, levels, 300)
    tested = np.zeros(300, int)

    def passes(places: np.ndarray, number: int) -> np.ndarray:
        tested[places] += 1
        return limits[places] >= number

    found = _finest(300, levels, passes)
    assert [one.meets for one in found] == (limits >= 0).tolist()
    assert [one.level for one in found] == np.maximum(limits, 0).tolist()
    assert tested.max() <= MAX_EVALUATIONS
