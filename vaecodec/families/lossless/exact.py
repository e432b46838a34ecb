"""ExactLikelihood: the integer-exact twin of a lossless-vae's map, phases and tables, from symbols to what files need.

    symbols (b, n) ──map──> 0..255 (b, h/2, w/2, c) ──ExactPhase × 4──> logit indices ──tables──> counts

Trained with straight-through rounding on the symbols that files will hold; to_likelihood() is what a model file stores.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from vaecodec.entropy.tables import TOTAL, counts_from_probabilities
from vaecodec.families.lossless.exact_map import ExactGridMap
from vaecodec.families.lossless.exact_phases import LOGIT_TOP, WEIGHT_STEPS, ZERO_STEPS, ExactPhase, logits_of
from vaecodec.families.lossless.model import LosslessVAE
from vaecodec.families.lossless.phases import PhaseNetwork, split_phases
from vaecodec.families.lossless.pixel_values import PixelValues
from vaecodec.layers.exact.dense import ACTIVATION_TOP
from vaecodec.layers.exact.half_planes import ExactHalfPlaneMap
from vaecodec.layers.exact.symbols import SymbolRange
from vaecodec.layers.half_planes import HalfPlaneMap
from vaecodec.modelfile.lossless_part import MAX_WEIGHT_VALUE, MIN_VALUE_COUNT, PixelLikelihood, ValueMixture

Int32 = npt.NDArray[np.int32]


class ExactLikelihood(nn.Module):
    """Made of a trained model. meaning: of the symbols. symbols (b, n), pixels (b, h, w): a sample for calibration."""

    table: Tensor

    @torch.no_grad()
    def __init__(
        self,
        model: LosslessVAE,
        meaning: SymbolRange,
        symbols: Float[Tensor, "b n"],
        pixels: UInt8[Tensor, "b h w"],
    ) -> None:
        super().__init__()
        found = model.map
        self.map = (
            ExactHalfPlaneMap(found, meaning, symbols)
            if isinstance(found, HalfPlaneMap)
            else ExactGridMap(found, meaning, symbols)
        )
        self.register_buffer("table", (model.phases.table * ACTIVATION_TOP).round(), persistent=False)
        feature_map, features = found(meaning.dequantise(symbols)), model.phases.features(split_phases(pixels))
        each = self.table.shape[1]
        self.phases = nn.ModuleList(
            ExactPhase(cast("PhaseNetwork", network), feature_map, features[:, : k * each], self.map.unit, self.table)
            for k, network in enumerate(model.phases.networks)
        )
        self.values = PixelValues(model.config.mixed)
        self.values.load_state_dict(model.values.state_dict())

    def pixel_nats(self, symbols: Float[Tensor, "b n"], pixels: UInt8[Tensor, "b h w"]) -> Float[Tensor, "b phases"]:
        """-ln P of the pixels of each phase, as LosslessVAE's."""
        feature_map, planes = self.map(symbols), split_phases(pixels)
        features = self.table[planes.long()]
        nats = [
            self.values.nats(logits_of(phase(feature_map, features[:, :k])), planes[:, k])
            for k, phase in enumerate(self.phases)
        ]
        return torch.stack(nats, dim=1)

    def mean_nats(self, symbols: Float[Tensor, "b n"], pixels: UInt8[Tensor, "b h w"]) -> Tensor:
        """-ln P of all pixels of an image, the mean over the images."""
        return self.pixel_nats(symbols, pixels).sum(dim=1).mean()

    def to_likelihood(self) -> PixelLikelihood:
        """The exported integers. Raises NotExact where fine-tuning has carried a layer over the bound."""
        phases = tuple(cast("ExactPhase", phase).to_network() for phase in self.phases)
        mixture = None
        if self.values.bases is not None:
            mixture = ValueMixture(weight_values(), value_counts(self.values))
        return PixelLikelihood(self.map.to_network(), phases, zero_counts(), mixture)


def zero_counts() -> Int32:
    """2^24 · sigmoid(index / 64)."""
    logit = np.arange(-LOGIT_TOP, LOGIT_TOP + 1, dtype=np.float64) / ZERO_STEPS
    counts: Int32 = np.clip(np.rint(TOTAL / (1 + np.exp(-logit))), 1, TOTAL - 1).astype(np.int32)
    return counts


def weight_values() -> Int32:
    """2^20 · exp((index - L) / 128)."""
    logit = np.arange(-2 * LOGIT_TOP, 1, dtype=np.float64) / WEIGHT_STEPS
    values: Int32 = np.maximum(np.rint(MAX_WEIGHT_VALUE * np.exp(logit)), 1).astype(np.int32)
    return values


def value_counts(values: PixelValues) -> Int32:
    """The bases as counts."""
    probabilities = values.log_probabilities().detach().double().exp().numpy()
    floor = (MIN_VALUE_COUNT + 0.5) / TOTAL  # so that sharing out to whole counts cannot go below
    return counts_from_probabilities(np.maximum(probabilities, floor)).astype(np.int32)
