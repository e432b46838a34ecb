"""Synthesis: plans are kept for as many levels as it says, however the levels come."""

from pathlib import Path

import numpy as np
import pytest

from vaecodec.codec import synthesis
from vaecodec.codec.codec import Codec
from vaecodec.exact.plan import PlanMaker
from vaecodec.modelfile.model import read_model

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
MODEL = read_model(GOLDEN / "levels.vaem")
MANY = np.zeros((65, MODEL.latents), np.int32)


@pytest.fixture
def plans_made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each plan that is made from now on."""
    made: list[int] = []
    plan = PlanMaker.plan

    def counted(maker: PlanMaker, known: object) -> object:
        made.append(1)
        return plan(maker, known)

    monkeypatch.setattr(PlanMaker, "plan", counted)
    return made


def synthesise(codec: Codec, levels: list[int]) -> None:
    for level in levels:
        codec.lossy.synthesise(MANY, level)


@pytest.mark.parametrize("most", [1, 3, 5, 8])
def test_so_many_levels_are_planned_once(plans_made: list[int], monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(synthesis, "MAX_PLANS", most)
    codec, levels = Codec(MODEL), list(range(most))
    synthesise(codec, levels * 3)
    assert len(plans_made) == most
    assert len(codec.lossy._synthesis._plans) == most


def test_one_level_more_drops_the_plan_that_was_made_first_and_no_other(
    plans_made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "MAX_PLANS", 3)
    codec = Codec(MODEL)
    synthesise(codec, [0, 1, 2, 3])
    assert list(codec.lossy._synthesis._plans) == [1, 2, 3]
    synthesise(codec, [3, 2, 1])
    assert len(plans_made) == 4
    synthesise(codec, [0])
    assert len(plans_made) == 5


def test_pictures_that_come_one_by_one_are_planned_after_some_and_stay_the_same(
    plans_made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthesis, "PLAN_AFTER", 3)
    codec, rng = Codec(MODEL), np.random.default_rng(0)
    symbols = rng.integers(-9, 10, (8, MODEL.latents)).astype(np.int32)
    one_by_one = [codec.lossy.synthesise(row[None], 2)[0] for row in symbols]
    assert len(plans_made) == 1
    np.testing.assert_array_equal(one_by_one, Codec(MODEL).lossy.synthesise(symbols, 2))
    codec.lossy.synthesise(symbols[:2], 1)
    assert len(plans_made) == 1


def test_a_released_model_keeps_as_many_as_the_constant_says() -> None:
    assert synthesis.MAX_PLANS == 16
    codec = Codec(MODEL)
    synthesise(codec, list(range(len(MODEL.levels))))
    assert list(codec.lossy._synthesis._plans) == list(range(len(MODEL.levels)))
