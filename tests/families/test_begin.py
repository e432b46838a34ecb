"""How models that draw begin: latents that are moments, half-planes along the outline."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vaecodec.data import load_dataset
from vaecodec.data.dsprites_renderer import render
from vaecodec.families.lossless.config import LosslessConfig, LosslessObjective
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.families.lossless.objective import FIRST_STEPS, LosslessTrainable
from vaecodec.layers.half_planes import HalfPlaneMap
from vaecodec.modelfile.lossless_part import PHASES
from vaecodec.recipes.begin_half_planes import outlines

DATA = Path(__file__).parents[1] / "fixtures" / "data"
SIDE = 64
PLACES = torch.stack(torch.meshgrid(*2 * [torch.arange(SIDE) - (SIDE - 1) / 2], indexing="ij"), dim=-1).view(-1, 2)


def every_orientation(shape: int) -> torch.Tensor:
    classes = np.array([[shape, 4, orientation, 14, 19] for orientation in range(0, 39, 2)])
    return torch.from_numpy(render(classes).astype(np.float32) / 255)


@pytest.mark.parametrize(("shape", "most"), [(0, 0.7), (1, 0.1), (2, 10)])  # a heart is not convex
def test_what_lies_inside_all_lines_is_the_picture_however_it_is_turned(shape: int, most: float) -> None:
    x = every_orientation(shape)
    normals, reach = outlines(x, 32)
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(len(x), 32))
    inside = (PLACES @ normals - reach[:, None]).amax(dim=2) < 1e-3
    wrong = (inside != x.flatten(1).bool()).sum(dim=1)
    assert wrong.float().mean() < most


def test_a_line_touches_the_picture() -> None:
    x = torch.zeros(1, SIDE, SIDE)
    x[0, 10:20, 30:50] = 1
    normals, reach = outlines(x, 4)  # up, down, left and right
    middle = (SIDE - 1) / 2
    expected = torch.tensor([19 - middle, 49 - middle, middle - 10, middle - 30])
    torch.testing.assert_close(reach[0], expected)
    torch.testing.assert_close(normals[0].abs().round(), torch.tensor([[1.0, 0, 1, 0], [0, 1, 0, 1]]))


def test_a_lossless_model_begins_with_the_outline_in_its_place() -> None:
    torch.manual_seed(2)
    sizes = {"latents": 12, "moments": 4, "half_planes": 24, "map_units": 96, "map_channels": 6, "phase_width": 4}
    model = LosslessVAE(LosslessConfig(SIDE, SIDE, bit_depth=1, units=32, **sizes))
    images = load_dataset("dsprites", "train", data_dir=DATA).images
    LosslessTrainable(model, LosslessObjective()).begin(images)
    x = torch.from_numpy(images.astype(np.float32) / 255)
    drawn = model.map
    assert isinstance(drawn, HalfPlaneMap)
    with torch.no_grad():
        y = model.analyse(x)
        assert (y.std(dim=0) / FIRST_STEPS - 1).abs().max() < 0.05
        outside = drawn(y.round())[:, : len(PHASES)]
        seen = torch.zeros_like(x)
        for channel, (row, column) in enumerate(PHASES):
            seen[:, row::2, column::2] = outside[:, channel]
    wrong = ((seen < 0.1) != x.bool()).float().sum(dim=(1, 2)).mean()
    assert wrong < 0.25 * x.sum(dim=(1, 2)).mean()


def test_empty_pictures_do_not_matter() -> None:
    model = LosslessVAE(LosslessConfig(16, 16, latents=4, bit_depth=1, units=8, moments=2, half_planes=4, map_units=8))
    images = np.zeros((6, 16, 16), np.uint8)
    images[:4, 3:9, 5:11] = 255
    LosslessTrainable(model, LosslessObjective()).begin(images)
    assert all(p.isfinite().all() for p in model.parameters())


def test_models_that_do_not_draw_begin_as_they_are() -> None:
    model = LosslessVAE(LosslessConfig(28, 28, latents=4, units=8, map_units=8))
    before = [p.clone() for p in model.parameters()]
    LosslessTrainable(model, LosslessObjective()).begin(np.zeros((4, 28, 28), np.uint8))
    assert all(torch.equal(p, q) for p, q in zip(before, model.parameters(), strict=True))


def test_drawing_is_trained_first_and_the_phases_then() -> None:
    torch.manual_seed(4)
    sizes = {"latents": 6, "moments": 2, "half_planes": 8, "map_units": 16, "map_channels": 6, "phase_width": 4}
    model = LosslessVAE(LosslessConfig(SIDE, SIDE, bit_depth=1, units=16, **sizes))
    trainable = LosslessTrainable(model, LosslessObjective(drawing_steps=3))
    images = load_dataset("dsprites", "train", data_dir=DATA).images[:64]
    trainable.begin(images)
    x = torch.from_numpy(images.astype(np.float32) / 255)
    touched = []
    for step in (2, 3):
        trainable.zero_grad()
        trainable.enter(step)
        losses = trainable(x, 1.0, torch.Generator().manual_seed(1))
        losses.objective_nats.backward()
        touched.append({name.split(".")[1] for name, p in trainable.named_parameters() if p.grad is not None})
    assert "phases" not in touched[0]
    assert {"map", "analysis", "prior"} <= touched[0] & touched[1]
    assert "phases" in touched[1]
    lit = x.mean()
    at_random = -SIDE * SIDE * float(lit * lit.log() + (1 - lit) * (1 - lit).log())
    trainable.drawing = True
    assert trainable(x, 1.0, torch.Generator().manual_seed(1)).distortion_nats < 0.7 * at_random
