"""The parts of a lossless-vae: its sizes, what its analysis sees, its maps, and the distribution of its pixels."""

import numpy as np
import pytest
import torch

from vaecodec.errors import ConfigError
from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.families.lossless.model import LosslessVAE, drawing_sizes
from vaecodec.families.lossless.phases import feature_table, split_phases
from vaecodec.families.lossless.pixel_values import PixelValues, begin_bases
from vaecodec.layers.half_planes import HalfPlaneMap, grid_of
from vaecodec.layers.moments import Moments
from vaecodec.modelfile.lossless_part import PHASES
from vaecodec.pixels import phases as pixel_phases

SMALL = {"height": 8, "width": 12, "latents": 5, "units": 16, "map_units": 16, "map_channels": 4, "phase_width": 8}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"height": 7}, "even"),
        ({"width": 400}, "even"),
        ({"latents": 0}, "positive"),
        ({"bit_depth": 4}, "bit_depth"),
        ({"window": 4}, "odd"),
        ({"moments": 1}, "moments"),
        ({"bases": 0}, "bases"),
    ],
)
def test_sizes_that_make_no_sense_are_refused(changes: dict[str, int], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        LosslessConfig(**{**SMALL, **changes})


@pytest.mark.parametrize("bases", [1, 3, 7, 48])
def test_the_probabilities_of_a_pixels_values_sum_to_one(bases: int) -> None:
    torch.manual_seed(0)
    values = PixelValues(bases)
    pixels = torch.arange(256, dtype=torch.uint8).view(256, 1, 1)
    logits = torch.randn(1, 1 + bases, 1, 1).expand(256, -1, -1, -1)
    mass = (-values.nats(logits, pixels)).exp()
    torch.testing.assert_close(mass.sum(), torch.tensor(1.0))
    torch.testing.assert_close(mass[0], logits[0, 0, 0, 0].sigmoid())
    assert begin_bases(bases).min() > 0


def test_one_bit_pixels_cost_their_flag_alone() -> None:
    logits = torch.tensor([2.0, -1.0]).view(2, 1, 1, 1)
    nats = PixelValues(0).nats(logits, torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1))
    torch.testing.assert_close(nats, -torch.tensor([2.0, 1.0]).sigmoid().log())


def test_phases_are_split_as_the_runtime_does() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 12), dtype=np.uint8)
    found = split_phases(torch.from_numpy(images)).numpy()
    np.testing.assert_array_equal(found, np.stack(pixel_phases.split_phases(images), axis=1))


def test_features_of_pixels_are_whole_numbers_of_255ths() -> None:
    for depth in (1, 8):
        scaled = feature_table(depth) * 255
        torch.testing.assert_close(scaled, scaled.round())
        assert scaled.min() >= 0
        assert scaled.max() == 255


def test_a_phase_sees_only_the_phases_before_it() -> None:
    torch.manual_seed(1)
    model = LosslessVAE(LosslessConfig(**SMALL, bases=6)).eval()
    y = torch.randn(2, 5)
    pixels = torch.randint(0, 256, (2, 8, 12), dtype=torch.uint8)
    before = model.phases(model.map(y), split_phases(pixels))
    for row, column, first_that_may_change in ((0, 0, 1), (1, 1, 2), (0, 1, 3), (1, 0, 4)):
        changed = pixels.clone()
        changed[:, row::2, column::2] ^= 255
        after = model.phases(model.map(y), split_phases(changed))
        same = [bool(torch.equal(a, b)) for a, b in zip(before, after, strict=True)]
        assert same == [k < first_that_may_change for k in range(4)]


def test_the_nats_of_the_phases_are_those_of_the_image() -> None:
    torch.manual_seed(2)
    model = LosslessVAE(LosslessConfig(**SMALL, bases=6)).eval()
    pixels = torch.randint(0, 256, (3, 8, 12), dtype=torch.uint8)
    nats = model.pixel_nats(torch.randn(3, 5), pixels)
    assert nats.shape == (3, 4)
    assert torch.isfinite(nats).all()


def test_central_moments_do_not_change_when_a_picture_moves_and_the_center_moves_with_it() -> None:
    x = torch.zeros(2, 16, 20)
    x[0, 4:9, 3:11] = 1
    x[0, 5, 11] = 0.5
    x[1, 6:11, 8:16] = 1
    x[1, 7, 16] = 0.5
    seen = Moments(16, 20, 4)(x)
    torch.testing.assert_close(seen[0, 2:], seen[1, 2:], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(seen[1, :2] - seen[0, :2], torch.tensor([2.0, 5.0]) / 5)


def test_a_quarter_turn_turns_a_moment_by_its_fold_and_leaves_its_size() -> None:
    torch.manual_seed(2)
    x = torch.rand(1, 16, 16)
    layer = Moments(16, 16, 4)
    before, after = layer(x)[0, 3:], layer(torch.rot90(x, dims=(1, 2)))[0, 3:]
    place = 0
    for p, q in [(2, 0), (1, 1), (3, 0), (2, 1), (4, 0), (3, 1), (2, 2)]:
        if p == q:
            torch.testing.assert_close(after[place], before[place], atol=1e-5, rtol=1e-4)
            place += 1
            continue
        turned, seen = (torch.complex(m[place], m[place + 1]) for m in (before, after))
        torch.testing.assert_close(turned * 1j ** (p - q), seen, atol=1e-5, rtol=1e-4)
        place += 2
    assert place == len(before)


def test_moments_of_an_empty_picture_are_numbers() -> None:
    layer = Moments(8, 8, 6)
    seen = layer(torch.zeros(1, 8, 8))
    assert seen.shape == (1, layer.count)
    assert torch.isfinite(seen).all()


def test_a_map_of_half_planes_moves_with_its_position() -> None:
    torch.manual_seed(3)
    config = LosslessConfig(16, 16, latents=5, map_units=16, map_channels=4, half_planes=10)
    drawn = HalfPlaneMap(drawing_sizes(config))
    y = torch.randn(1, 5)
    with torch.no_grad():
        before = drawn(y)
        drawn.position.bias += torch.tensor([2.0, -4.0]) / 8  # in pixels; a position of the map is two
        after = drawn(y)
    torch.testing.assert_close(after[:, :, 1:, :-2], before[:, :, :-1, 2:], atol=1e-4, rtol=1e-4)


def test_the_grid_of_a_map_is_symmetric_and_ends_before_one() -> None:
    grid = grid_of(4, 8)
    assert grid.shape == (4 * 32, 3)
    torch.testing.assert_close(grid[:, :2].sum(dim=0), torch.zeros(2))
    assert grid[:, 1].max() == pytest.approx(7.5 / 8)
    assert grid[:, 0].max() == pytest.approx(3.5 / 8)


def test_a_position_of_the_grid_holds_its_pixels_phase_by_phase() -> None:
    first = 8 * grid_of(4, 8)[:4, :2]
    torch.testing.assert_close(first - first[0], torch.tensor(PHASES) * 1.0)


def test_folding_steps_changes_nothing_but_where_they_are() -> None:
    torch.manual_seed(7)
    sizes = {"latents": 4, "bit_depth": 1, "units": 8, "moments": 2, "half_planes": 4, "map_units": 8}
    model = LosslessVAE(LosslessConfig(16, 16, **sizes)).eval()
    x = torch.rand(3, 16, 16)
    with torch.no_grad():
        assert model.log_step is not None
        model.log_step.normal_()
        latents = model.analyse(x)
        seen = model.feature_map(latents)
        model.fold_steps()
        assert not model.log_step.any()
        torch.testing.assert_close(model.analyse(x), latents, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(model.feature_map(latents), seen, rtol=1e-4, atol=1e-4)


def test_a_model_with_a_grid_has_no_steps_to_fold() -> None:
    model = LosslessVAE(LosslessConfig(**SMALL))
    model.fold_steps()
    assert model.log_step is None
