"""Refinement: an image never costs more after it, as a decoder counts, and gets the same symbols in any batch."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from vaecodec.codec.codec import Codec, load
from vaecodec.codec.effort import (
    ROUNDS,
    BernoulliDistortion,
    Distortion,
    GaussianDistortion,
    Refiner,
    SymbolCosts,
    distortion_of,
)
from vaecodec.codec.synthesis import Synthesis
from vaecodec.data import load_dataset
from vaecodec.errors import ModelError
from vaecodec.modelfile.model import Model, read_model

TESTS = Path(__file__).parents[1]
EFFORTS = range(1, len(ROUNDS))


@cache
def codec(name: str) -> Codec:
    return Codec(read_model(TESTS / "golden" / "v1" / f"{name}.vaem")) if name in ("levels", "tiny") else load(name)


@cache
def images(name: str) -> np.ndarray:
    if name.startswith("dsprites"):
        pixels = np.zeros((12, 64, 64), np.uint8)
        for k, image in enumerate(pixels):
            image[8 + 2 * k : 24 + 2 * k, 16 : 28 + k] = 255
        return pixels
    return load_dataset("mnist", "test", data_dir=TESTS / "fixtures" / "data").images[: 12 if name == "mnist" else 40]


@cache
def refiner(name: str) -> Refiner:
    return Refiner(codec(name).model, Synthesis(codec(name).model))


def cost_of(name: str, pixels: np.ndarray, symbols: np.ndarray, level: int) -> np.ndarray:
    """Nats (b,) of what a decoder gives: the information, and the distortion over β."""
    decoded = codec(name).lossy.synthesise(symbols, level).astype(np.float32)
    nats = distortion_of(codec(name).model).nats(decoded, pixels.astype(np.float32), np.ones(pixels.shape, np.bool_))
    bits = codec(name).lossy.information_bits(symbols, level)
    return np.asarray(bits * np.log(2) + nats / codec(name).model.levels[level].beta)


@pytest.mark.parametrize(
    ("name", "level"), [("mnist", 0), ("dsprites-beta-vae-1", 0), ("levels", 1), ("levels", 6), ("tiny", 0)]
)
def test_an_image_never_costs_more_and_with_more_effort_they_cost_less(name: str, level: int) -> None:
    pixels = images(name)
    symbols = codec(name).lossy.analyse(pixels, level)
    costs = [cost_of(name, pixels, symbols, level)]
    for effort in EFFORTS:
        refined = refiner(name)(pixels, np.ones(pixels.shape, np.bool_), symbols, level, effort)
        costs.append(cost_of(name, pixels, refined, level))
        assert (costs[-1] <= costs[0] + 1e-6).all()
    means = [float(cost.mean()) for cost in costs]
    assert means[1] < 0.99 * means[0]
    assert means[2] < means[1]


@pytest.mark.parametrize("effort", EFFORTS)
def test_symbols_do_not_depend_on_the_batch(effort: int) -> None:
    pixels = images("levels")[:9]
    symbols, inside = codec("levels").lossy.analyse(pixels, 5), np.ones(pixels.shape, np.bool_)
    together = refiner("levels")(pixels, inside, symbols, 5, effort)
    for k in range(9):
        one = slice(k, k + 1)
        alone = refiner("levels")(pixels[one], inside[one], symbols[one], 5, effort)
        np.testing.assert_array_equal(alone[0], together[k])


def test_a_large_batch_is_refined_in_parts() -> None:
    pixels = np.concatenate([images("tiny")] * 8)
    symbols, inside = codec("tiny").lossy.analyse(pixels), np.ones(pixels.shape, np.bool_)
    assert len(pixels) > Synthesis(codec("tiny").model).many_rows
    refined = refiner("tiny")(pixels, inside, symbols, 0, 1)
    np.testing.assert_array_equal(refined, np.concatenate([refined[:40]] * 8))


def test_pixels_outside_the_image_do_not_count() -> None:
    pixels = images("levels")[:6].copy()
    symbols, inside = codec("levels").lossy.analyse(pixels, 5), np.zeros(pixels.shape, np.bool_)
    inside[:, :20, :22] = True
    found = refiner("levels")(pixels, inside, symbols, 5, 1)
    pixels[~inside] = 77
    np.testing.assert_array_equal(refiner("levels")(pixels, inside, symbols, 5, 1), found)
    everywhere = refiner("levels")(images("levels")[:6], np.ones(pixels.shape, np.bool_), symbols, 5, 1)
    assert (found != everywhere).any()


def model_with_beta(name: str, beta: float) -> Model:
    model = codec(name).model
    return replace(model, levels=tuple(replace(level, beta=beta) for level in model.levels))


@pytest.mark.parametrize("beta", [0.0, 1e-9, 1e9])
def test_no_beta_moves_a_symbol_out_of_its_table(beta: float) -> None:
    model = model_with_beta("levels", beta)
    tables, pixels = model.levels[6].tables, 255 - images("levels")[:20]
    symbols = codec("levels").lossy.analyse(pixels, 6)
    inside = np.ones(pixels.shape, np.bool_)
    columns, escaped = SymbolCosts(tables).columns(symbols)
    refined = Refiner(model, Synthesis(model))(pixels, inside, symbols, 6, 2)
    after, escaped_after = SymbolCosts(tables).columns(refined)
    np.testing.assert_array_equal(escaped_after, escaped)
    np.testing.assert_array_equal(refined[:, tables.coded][escaped], symbols[:, tables.coded][escaped])
    np.testing.assert_array_equal(refined[:, ~tables.coded], symbols[:, ~tables.coded])
    assert (after != columns).any()


def test_an_escape_stays_as_it_is() -> None:
    model = codec("levels").model
    tables, pixels = model.levels[6].tables, images("levels")[:4]
    symbols = codec("levels").lossy.analyse(pixels, 6)
    latent = int(np.flatnonzero(tables.coded)[0])
    symbols[:, latent] = tables.offsets[latent] + tables.alphabet + 5
    refined = refiner("levels")(pixels, np.ones(pixels.shape, np.bool_), symbols, 6, 2)
    np.testing.assert_array_equal(refined[:, latent], symbols[:, latent])
    assert (cost_of("levels", pixels, refined, 6) < cost_of("levels", pixels, symbols, 6)).all()


def test_symbols_cost_what_their_tables_say() -> None:
    tables = codec("levels").model.levels[6].tables
    symbols = codec("levels").lossy.analyse(images("levels"), 6)
    costs = SymbolCosts(tables)
    columns, escaped = costs.columns(symbols)
    assert not escaped.any()
    nats = costs.nats(columns, escaped)
    np.testing.assert_allclose(nats, tables.information_bits(symbols) * np.log(2))
    np.testing.assert_array_equal(costs.place(symbols, columns, escaped), symbols)
    up, down = costs.moves(columns)
    for k in range(columns.shape[1]):
        step = np.eye(columns.shape[1], dtype=np.intp)[k]
        for change, moved in ((up[:, k], columns + step), (down[:, k], columns - step)):
            possible = (moved[:, k] >= 0) & (moved[:, k] < tables.alphabet - 1)
            np.testing.assert_array_equal(np.isfinite(change), possible)
            after = costs.nats(moved[possible], escaped[possible])
            np.testing.assert_allclose(change[possible], after - nats[possible], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("distortion", [GaussianDistortion(0.1), BernoulliDistortion()])
def test_the_slope_of_a_distortion_is_its_difference(distortion: Distortion) -> None:
    rng = np.random.default_rng(0)
    decoded = rng.uniform(20, 235, (3, 5, 6)).astype(np.float32)
    image = rng.integers(0, 256, (3, 5, 6)).astype(np.float32)
    inside = rng.random((3, 5, 6)) < 0.7
    slope, curvature = distortion.slope(decoded, image, inside), distortion.curvature(decoded)
    assert (curvature > 0).all()
    for row, column in np.ndindex(5, 6):
        step = np.zeros((5, 6), np.float32)
        step[row, column] = 0.5
        change = distortion.nats(decoded + step, image, inside) - distortion.nats(decoded - step, image, inside)
        np.testing.assert_allclose(slope[:, row, column], change, rtol=2e-3, atol=1e-5)


def test_a_model_that_does_not_say_what_its_beta_weighs_is_not_refined() -> None:
    model = read_model(TESTS / "golden" / "v1" / "mini.vaem")
    with pytest.raises(ModelError, match="effort 0"):
        Refiner(model, Synthesis(model))


@pytest.mark.parametrize(
    "objective",
    [
        None,
        7,
        {},
        {"likelihood": "poisson"},
        {"likelihood": "gaussian"},
        {"likelihood": "gaussian", "pixel_sigma": "0.1"},
        {"likelihood": "gaussian", "pixel_sigma": 1e-300},
        {"likelihood": "gaussian", "pixel_sigma": float("nan")},
    ],
)
def test_a_record_that_makes_no_sense_is_none(objective: object) -> None:
    model = replace(codec("tiny").model, about={"config": {"objective": objective}})
    with pytest.raises(ModelError, match="does not say"):
        distortion_of(model)
