"""Which kind of stream an image gets: the one asked for, and never a lossy one that is as large as the lossless one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vaecodec.bitstream.stream import CODED_EXACTLY, STORED, is_exact, unpack
from vaecodec.codec.codec import Codec, load
from vaecodec.codec.target import Target
from vaecodec.data import load_dataset
from vaecodec.errors import ModelError, TargetMissed
from vaecodec.modelfile.derived import join_models
from vaecodec.modelfile.model import read_model

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
EXACT = load(GOLDEN / "exact.vaem")
LEVELS = read_model(GOLDEN / "levels.vaem")
JOINED = Codec(join_models(LEVELS, EXACT.model, "joined"))
FINEST = len(LEVELS.levels) - 1
DIGITS = load_dataset("mnist", "test", data_dir=GOLDEN.parents[1] / "fixtures" / "data").images[:40]
BLACK = np.zeros((28, 28), np.uint8)


def is_lossless(data: bytes, image: np.ndarray) -> bool:
    assert np.array_equal(JOINED.decompress(data), image) == is_exact(data)
    return is_exact(data)


def test_quality_100_is_lossless() -> None:
    assert JOINED.compress(DIGITS[0], quality=100) == JOINED.compress(DIGITS[0], lossless=True)
    assert is_lossless(JOINED.compress(DIGITS[0], quality=100), DIGITS[0])
    assert not is_lossless(JOINED.compress(DIGITS[0], quality=99.9), DIGITS[0])


def test_quality_100_is_the_finest_level_where_nothing_is_lossless() -> None:
    codec = Codec(LEVELS)
    assert codec.compress(DIGITS[0], quality=100) == codec.compress(DIGITS[0], level=FINEST)


def test_a_lossy_stream_is_smaller_than_the_lossless_one_or_is_not_written() -> None:
    images = [*DIGITS, BLACK, *(DIGITS[:8] // 64 * 64)]
    lossless = JOINED.compress_batch(images, target=Target(max_error=0))
    for level in range(FINEST + 1):
        streams = JOINED.compress_batch(images, level=level)
        lossy = Codec(LEVELS).compress_batch(images, level=level)
        for data, exact, without, image in zip(streams, lossless, lossy, images, strict=True):
            if is_lossless(data, image):
                assert data == exact
                assert len(exact) <= len(without)
            else:
                assert len(data) == len(without) < len(exact)
    assert is_lossless(JOINED.compress(BLACK, level=0), BLACK)


def test_bytes_grow_with_quality() -> None:
    sizes = [[len(data) for data in JOINED.compress_batch(DIGITS, target=Target(quality=q))] for q in (0, 50, 99, 100)]
    totals = [sum(row) for row in sizes]
    assert totals == sorted(totals)
    for row in sizes:
        assert all(size <= most for size, most in zip(row, sizes[-1], strict=True))


def test_a_size_that_holds_the_lossless_stream_gets_it() -> None:
    exact = JOINED.compress(DIGITS[0], lossless=True)
    assert JOINED.compress(DIGITS[0], target_bytes=len(exact)) == exact
    fitting = JOINED.compress(DIGITS[0], target_bytes=len(exact) - 1)
    assert not is_exact(fitting)
    assert len(fitting) < len(exact)


def test_a_size_below_every_stream_is_missed() -> None:
    with pytest.raises(TargetMissed, match="target of 3 bytes"):
        JOINED.compress(DIGITS[0], target_bytes=3)


def test_a_distortion_that_no_level_reaches_is_lossless() -> None:
    with pytest.raises(TargetMissed):
        Codec(LEVELS).compress(DIGITS[0], max_mse=0)
    assert is_lossless(JOINED.compress(DIGITS[0], max_mse=0), DIGITS[0])
    assert is_lossless(JOINED.compress(DIGITS[0], target_psnr=199), DIGITS[0])
    reached = JOINED.compress(DIGITS[0], target_psnr=12)
    assert not is_exact(reached)


def test_a_model_without_levels_is_lossless_when_it_is_told_nothing() -> None:
    assert unpack(EXACT.compress(DIGITS[0])).coding in CODED_EXACTLY
    assert unpack(EXACT.compress(DIGITS[0], quality=100)).coding in CODED_EXACTLY
    noise = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    assert unpack(EXACT.compress(noise)).coding in STORED


@pytest.mark.parametrize("setting", [{"level": 0}, {"quality": 50}, {"beta": 1.0}])
def test_a_model_without_levels_has_no_other_setting(setting: dict[str, float]) -> None:
    with pytest.raises(ModelError, match="no lossy levels"):
        EXACT.compress(DIGITS[0], **setting)


@pytest.mark.parametrize("setting", [{"target_bytes": 300}, {"target_psnr": 20.0}, {"max_mse": 3.0}])
def test_a_model_without_levels_meets_targets_exactly(setting: dict[str, float]) -> None:
    data = EXACT.compress(DIGITS[0], **setting)
    assert np.array_equal(EXACT.decompress(data), DIGITS[0])
    with pytest.raises(TargetMissed, match="target of 50 bytes: golden-exact-1 needs 185"):
        EXACT.compress(DIGITS[0], target_bytes=50)


def test_joining_needs_levels_and_a_part_of_one_geometry() -> None:
    bits = read_model(GOLDEN / "bits.vaem")
    for lossy, lossless, what in (
        (LEVELS, bits, "12x10"),
        (LEVELS, LEVELS, "no lossless part"),
        (EXACT.model, EXACT.model, "lossy levels alone"),
        (JOINED.model, EXACT.model, "lossy levels alone"),
    ):
        with pytest.raises(ModelError, match=what):
            join_models(lossy, lossless, "name")


def test_a_joined_model_is_another_one() -> None:
    prints = {codec.fingerprint for codec in (JOINED, EXACT, Codec(LEVELS))}
    assert len(prints) == 3
    assert JOINED.model.about["levels_from"] == LEVELS.name
    assert JOINED.model.about["lossless"]["name"] == EXACT.model.name
    assert Codec(replace(JOINED.model, name="other")).fingerprint == JOINED.fingerprint
