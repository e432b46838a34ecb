"""The integer-exact twin of a lossless-vae: what it exports, near the float model, costing what files do."""

import math

import numpy as np
import pytest
import torch

from vaecodec.entropy.tables import TOTAL
from vaecodec.families.lossless.config import LosslessConfig
from vaecodec.families.lossless.exact import ExactLikelihood, value_counts, weight_values, zero_counts
from vaecodec.families.lossless.exact_phases import LOGIT_TOP
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.families.lossless.phases import split_phases
from vaecodec.families.lossless.pixel_values import PixelValues
from vaecodec.layers.exact.symbols import SymbolRange
from vaecodec.pixels.phases import predict
from vaecodec.pixels.tables import counts_of_flags, counts_of_values

GRID = LosslessConfig(8, 12, latents=5, map_units=24, map_channels=6, phase_width=12, bases=9, window=3)
DRAWN = LosslessConfig(
    16, 16, latents=5, bit_depth=1, map_units=24, map_channels=6, half_planes=10, phase_width=12, window=3
)
IMAGES = 60


class Case:
    """A model with weights that do something, and its twin."""

    def __init__(self, config: LosslessConfig) -> None:
        torch.manual_seed(4)
        self.model = LosslessVAE(config).eval()
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                if name.endswith("outer.weight"):
                    parameter.normal_(std=0.2)
                if name.endswith(("head.weight", "of_map.weight")):
                    parameter.mul_(6)
        self.symbols = torch.randint(-6, 7, (IMAGES, 4)).float()
        limit = torch.full((4,), 9)
        center = torch.randn(5)
        self.meaning = SymbolRange(center, torch.ones(5), torch.tensor([0, 1, 3, 4]), limit)
        pixels = torch.randint(0, 256, (IMAGES, config.height, config.width), dtype=torch.uint8)
        lit = torch.rand(pixels.shape) < 0.3
        self.pixels = torch.where(lit, pixels if config.bit_depth == 8 else 255, 0).to(torch.uint8)
        self.exact = ExactLikelihood(self.model, self.meaning, self.symbols, self.pixels)
        self.likelihood = self.exact.to_likelihood()

    def runtime_bits(self) -> np.ndarray:
        """What the stored tables charge for each image."""
        planes = split_phases(self.pixels).numpy()
        prediction = predict(self.likelihood, self.symbols.numpy().astype(np.int32))
        indices, bits = next(prediction), np.zeros(IMAGES)
        for phase in range(4):
            plane = planes[:, phase]
            flags = counts_of_flags(self.likelihood, indices)
            chosen = flags[np.arange(plane.size), (plane != 0).ravel().astype(int)]
            bits += (24 - np.log2(chosen)).reshape(IMAGES, -1).sum(axis=1)
            if self.likelihood.values is not None:
                counts = counts_of_values(self.likelihood.values, indices[plane > 0])
                chosen = counts[np.arange(len(counts)), plane[plane > 0] - 1]
                bits += np.bincount(np.nonzero(plane)[0], 24 - np.log2(chosen), IMAGES)
            if phase < 3:
                indices = prediction.send(plane)
        return bits


@pytest.fixture(scope="module", params=[GRID, DRAWN], ids=["grid", "half-planes"])
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_the_exported_map_is_the_trained_one(case: Case) -> None:
    symbols = torch.cat([case.symbols, 30 * case.symbols])  # beyond the limit too
    with torch.no_grad():
        expected = case.exact.map(symbols).numpy()
    np.testing.assert_array_equal(case.likelihood.map_network(symbols.numpy().astype(np.int32)), expected)


def test_the_exported_phases_are_the_trained_ones(case: Case) -> None:
    planes = split_phases(case.pixels)
    prediction = predict(case.likelihood, case.symbols.numpy().astype(np.int32))
    indices = next(prediction)
    with torch.no_grad():
        feature_map, features = case.exact.map(case.symbols), case.exact.table[planes.long()]
        for phase, network in enumerate(case.exact.phases):
            np.testing.assert_array_equal(indices, network(feature_map, features[:, :phase]).numpy())
            assert len(np.unique(indices)) > 50
            if phase < 3:
                indices = prediction.send(planes[:, phase].numpy())


def test_the_twin_predicts_nearly_what_the_float_model_does(case: Case) -> None:
    y = case.meaning.dequantise(case.symbols)
    with torch.no_grad():
        exact, real = (m.pixel_nats(v, case.pixels) for m, v in ((case.exact, case.symbols), (case.model, y)))
    assert abs(float(exact.sum() / real.sum()) - 1) < 0.02


def test_what_training_minimises_is_what_the_tables_charge(case: Case) -> None:
    with torch.no_grad():
        bits = case.exact.pixel_nats(case.symbols, case.pixels).sum(dim=1).numpy() / math.log(2)
    np.testing.assert_allclose(case.runtime_bits(), bits, rtol=2e-3)


def test_fine_tuning_reaches_every_parameter_of_the_twin(case: Case) -> None:
    case.exact.zero_grad()
    case.exact.pixel_nats(case.symbols, case.pixels).sum().backward()
    missing = [name for name, p in case.exact.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not missing


def test_the_tables_of_indices_rise_and_are_within_the_formats_limits() -> None:
    zero, weights = zero_counts(), weight_values()
    assert len(zero) == len(weights) == 2 * LOGIT_TOP + 1
    assert (np.diff(zero) >= 0).all()
    assert (np.diff(weights) >= 0).all()
    assert zero[LOGIT_TOP] == TOTAL // 2
    assert 1 <= zero.min() < zero.max() < TOTAL
    assert weights.min() == 1
    assert weights.max() == 1 << 20


def test_a_basis_of_one_spike_keeps_two_counts_for_every_value() -> None:
    values = PixelValues(3)
    with torch.no_grad():
        values.bases[0] = -100.0
        values.bases[0, 17] = 100.0
    counts = value_counts(values)
    assert counts.min() == 2
    assert (counts.sum(axis=1) == TOTAL).all()
