"""Rate control: a target is met, or the error says what the best is; no search costs more than it may."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaecodec.bitstream.stream import unpack
from vaecodec.codec.codec import Codec
from vaecodec.codec.search import MAX_EVALUATIONS, find_settings, finest
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.errors import ConfigError, TargetMissed
from vaecodec.modelfile.model import read_model

TESTS = Path(__file__).parents[1]
CODEC = Codec(read_model(TESTS / "golden" / "v1" / "levels.vaem"))
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
    found = find_settings(CODEC.lossy, CODEC.frame.fit_all(IMAGES), Target(target_bytes=most))
    for one, image in zip(found, IMAGES, strict=True):
        sizes = [len(CODEC.compress(image, level=level)) for level in range(LAST + 1)]
        assert one.meets == (min(sizes) <= most)
        if one.meets:
            assert sizes[one.setting.level] <= most
            assert one.setting.level == LAST or sizes[one.setting.level + 1] > most


def test_compress_to_target_bytes_keeps_it_in_batches_too() -> None:
    sizes = [len(data) for data in CODEC.compress_batch(IMAGES, target=Target(target_bytes=30))]
    assert max(sizes) <= 30
    assert np.mean(sizes) > 20


@pytest.mark.parametrize("psnr", [10.0, 15.0])
def test_target_psnr_is_reached_on_the_decoded_image(psnr: float) -> None:
    largest = 255**2 / 10 ** (psnr / 10)
    met = 0
    for one, image in zip(
        find_settings(CODEC.lossy, CODEC.frame.fit_all(IMAGES), Target(target_psnr=psnr)), IMAGES, strict=True
    ):
        if one.meets:
            data = CODEC.compress(image, target_psnr=psnr)
            assert level_of(data) == one.setting.level
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
        ({"effort": 3}, "effort"),
        ({"effort": -1}, "effort"),
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

    np.testing.assert_array_equal(finest(300, levels, passes), limits)
    assert tested.max() <= MAX_EVALUATIONS


def met(target: Target) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the first images: whether they meet it, their bytes and their mean squared errors (infinite where not)."""
    images, found = IMAGES[:12], find_settings(CODEC.lossy, CODEC.frame.fit_all(IMAGES[:12]), target)
    meets = np.array([one.meets for one in found])
    streams = CODEC.lossy.compress(CODEC.frame.fit_all(images), [one.setting for one in found])
    errors = np.square(np.stack(CODEC.decompress_batch(streams)).astype(float) - images).mean(axis=(1, 2))
    return meets, np.where(meets, [len(data) for data in streams], np.inf), np.where(meets, errors, np.inf)


@pytest.mark.parametrize("most", [16, 20, 30])
def test_with_effort_a_size_is_kept_and_no_image_is_worse(most: int) -> None:
    plain = met(Target(target_bytes=most))
    for effort in (1, 2):
        meets, sizes, errors = met(Target(target_bytes=most, effort=effort))
        assert (sizes[meets] <= most).all()
        assert (errors <= plain[2]).all()
    assert plain[0].any()
    assert errors[plain[0]].sum() < 0.97 * plain[2][plain[0]].sum()


@pytest.mark.parametrize("psnr", [10.0, 13.0, 15.0])
def test_with_effort_a_psnr_is_reached_and_no_image_takes_more_bytes(psnr: float) -> None:
    plain = met(Target(target_psnr=psnr))
    for effort in (1, 2):
        meets, sizes, errors = met(Target(target_psnr=psnr, effort=effort))
        assert (errors[meets] <= 255**2 / 10 ** (psnr / 10)).all()
        assert (sizes <= plain[1]).all()


def test_compress_keeps_a_target_with_effort_and_says_the_same_in_a_batch() -> None:
    target = Target(target_bytes=24, effort=1)
    streams = CODEC.compress_batch(IMAGES[:3], target=target)
    assert streams == [CODEC.compress(image, target_bytes=24, effort=1) for image in IMAGES[:3]]
    assert max(map(len, streams)) <= 24


def test_a_target_missed_with_effort_says_the_best_with_and_without() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    best = min(mse_of(CODEC.compress(noise, level=LAST, effort=effort), noise) for effort in (0, 2))
    with pytest.raises(TargetMissed, match=f"is {best:.6g},"):
        CODEC.compress(noise, target_psnr=40, effort=2)


def test_a_level_and_a_target_or_an_effort_and_a_target_are_refused() -> None:
    with pytest.raises(ConfigError, match="level and target"):
        CODEC.compress_batch(IMAGES[:1], level=1, target=Target(quality=5))
    with pytest.raises(ConfigError, match="effort and target"):
        CODEC.compress_batch(IMAGES[:1], effort=1, target=Target(quality=5))
