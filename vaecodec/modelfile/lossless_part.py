"""LosslessPart: what a model codes images exactly with: latents first, then the image given the latents.

image ──analysis──> y ──quantizer──> symbols ──map network──> map (h/2, w/2, c) of 0..255
                                                               │
      phase 0 ──pixels──┬── phase 1 ──pixels──┬── phase 2 …    │      each phase is one pixel of every 2×2 square
          ▲             └──> ▲                └──> ▲           │
          └──────────────────┴─────────────────────┴───────────┘
      phase network ──> logit indices (h/2, w/2, 1 or 1 + K) ──tables──> counts of the pixel's values

Every number that a probability depends on is an integer; docs/format.md, "Lossless", is the specification.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Size, Symbols
from vaecodec.bitstream.limits import MAX_BASES, MAX_LOGIT
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import TOTAL, CodingTables, Float64
from vaecodec.errors import BadField, LimitExceeded
from vaecodec.exact.known_answer import KNOWN_ANSWER_BATCH, KnownAnswer
from vaecodec.exact.network import ExactNetwork
from vaecodec.modelfile.analysis_weights import Analysis

PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))  # (row, column) in each 2×2 square, in the order of decoding
PIXEL_HIGH = 255  # of a map and of a pixel
VALUES = 255  # a pixel that is not zero is 1..255
MIN_VALUE_COUNT = 2  # so that every value keeps a count of at least 1 in every mixture: see docs/format.md
MAX_WEIGHT_VALUE = 1 << 20  # (256 bases · 2^20) << 16 stays below 2^53, where float64 is exact
WEIGHT_BITS = 16  # of a mixture's weights once they are normalised

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class ValueMixture:
    """The distribution of a pixel that is not zero: K basis distributions, mixed by weights that the network chooses.

    weights: (2L+1,) 1..2^20, of the logit index + L: a table of exp. counts: (K, 255), of the values 1..255, each at
    least 2, every row sums to 2^24. Raises BadField, LimitExceeded.
    """

    weights: Int32
    counts: Int32

    def __post_init__(self) -> None:
        _check_array(self.weights, "weights", 1)
        _check_array(self.counts, "value counts", 2)
        bases, values = self.counts.shape
        if bases > MAX_BASES:
            raise LimitExceeded(f"lossless part: {bases} basis distributions, at most {MAX_BASES} allowed")
        if values != VALUES or not bases:
            raise BadField(f"lossless part: value counts of shape {self.counts.shape}, expected (K, {VALUES})")
        if self.counts.min() < MIN_VALUE_COUNT or (self.counts.sum(axis=1, dtype=np.int64) != TOTAL).any():
            raise BadField(f"lossless part: value counts must be at least {MIN_VALUE_COUNT}, rows must sum to {TOTAL}")
        if self.weights.size and not 1 <= self.weights.min() <= self.weights.max() <= MAX_WEIGHT_VALUE:
            raise BadField(f"lossless part: weights must be 1..{MAX_WEIGHT_VALUE}")

    @cached_property
    def raised_weights(self) -> Float64:
        """weights · 2^16."""
        return self.weights.astype(np.float64) * 2.0**WEIGHT_BITS

    @cached_property
    def lowered_counts(self) -> Float64:
        """counts · 2^-16."""
        return self.counts.astype(np.float64) * 2.0**-WEIGHT_BITS

    @cached_property
    def least_bits(self) -> Float64:
        """(256,): bits that a pixel of each value takes at least; 0 of one that is zero.

        What is missing to a mixture's sum of 2^24 goes to its largest count: at most one for each of the values, and
        what the weights, rounded down, lack.
        """
        missing = VALUES + len(self.counts) * (TOTAL >> WEIGHT_BITS)
        largest = np.minimum(self.counts.max(axis=0).astype(np.float64) + missing, TOTAL)
        return np.concatenate([[0.0], np.log2(TOTAL) - np.log2(largest)])


@dataclass(frozen=True, eq=False)
class PixelLikelihood:
    """p(image | symbols), in integers; h and w are even.

    map_network: symbols (n,) → map (h/2, w/2, c) of 0..255. phases: four networks, in the order of PHASES; input, each
    of 0..255: the map, flattened in C order, then the pixels (h/2 · w/2, row by row) of each phase before it, in the
    order of decoding; result: (h/2, w/2, 1 + K) logit indices within -L..L, of "zero" and of the K weights, or
    (h/2, w/2, 1) without `values`. zero_counts: (2L+1,) 1..2^24 - 1, of the logit index + L: the count of "zero".
    values: None where pixels are 0 or 255 (1 bit). Raises BadField, LimitExceeded.
    """

    map_network: ExactNetwork
    phases: tuple[ExactNetwork, ...]
    zero_counts: Int32
    values: ValueMixture | None

    def __post_init__(self) -> None:
        _check_array(self.zero_counts, "zero counts", 1)
        entries = len(self.zero_counts)
        if self.limit > MAX_LOGIT:
            raise LimitExceeded(f"lossless part: logit indices up to {self.limit}, at most {MAX_LOGIT} allowed")
        if entries % 2 == 0 or (self.values is not None and len(self.values.weights) != entries):
            raise BadField(f"lossless part: tables of logit indices must have 2L + 1 entries, found {entries}")
        if not 1 <= self.zero_counts.min() <= self.zero_counts.max() < TOTAL:
            raise BadField(f"lossless part: zero counts must be 1..{TOTAL - 1}")
        _check_map(self)
        if len(self.phases) != len(PHASES):
            raise BadField(f"lossless part: {len(self.phases)} phases, expected {len(PHASES)}")
        for position in range(len(PHASES)):
            _check_phase(self, position)

    @cached_property
    def flag_counts(self) -> Float64:
        """(2L+1, 2): the counts of "zero" and of "not zero"."""
        zero = self.zero_counts.astype(np.float64)
        return np.stack([zero, TOTAL - zero], axis=1)

    @property
    def limit(self) -> int:
        """L: the largest logit index."""
        return len(self.zero_counts) // 2

    @property
    def bit_depth(self) -> int:
        """8, or 1 where pixels are 0 or 255."""
        return 1 if self.values is None else 8

    @property
    def outputs(self) -> int:
        """Logit indices of a pixel: 1 + K, or 1."""
        return 1 if self.values is None else 1 + len(self.values.counts)

    @property
    def indices(self) -> int:
        """Logit indices of a phase of one image."""
        height, width = self.plane
        return height * width * self.outputs

    @property
    def plane(self) -> Size:
        """(h/2, w/2): the pixels of a phase."""
        height, width, _ = self.map_network.result.shape
        return height, width


@dataclass(frozen=True, slots=True, eq=False)
class LosslessPart:
    """A model's lossless part. It shares nothing with the lossy levels.

    analysis: ONNX, as Model.analysis. quantizer, tables: of its latents, as in a Level. known_answer: symbols (64, n)
    and the hashes of vaecodec.pixels.phases.likelihood_answer. Raises BadField.
    """

    analysis: Analysis
    quantizer: Quantizer
    tables: CodingTables
    likelihood: PixelLikelihood
    known_answer: KnownAnswer

    def __post_init__(self) -> None:
        sizes = {self.tables.n, len(self.quantizer.step), len(self.likelihood.map_network.input_low)}
        if len(sizes) != 1:
            raise BadField(f"lossless part: tables, quantizer and map network of {sorted(sizes)} latents")
        if self.tables.n < 1:
            raise BadField("lossless part: no latents")
        if self.known_answer.symbols.shape != (KNOWN_ANSWER_BATCH, self.tables.n):
            raise BadField(f"lossless part: known answer of shape {self.known_answer.symbols.shape}")

    def symbols_of(self, y: npt.NDArray[np.float32]) -> Symbols:
        """Symbols (b, n) of latents (b, n), rounded; a collapsed latent has the only symbol that it can have."""
        return self.tables.fill_collapsed(self.quantizer.round_to_symbols(y))

    @property
    def geometry(self) -> Size:
        """(height, width) in pixels of the images, which are grey."""
        height, width = self.likelihood.plane
        return 2 * height, 2 * width


def _check_array(array: Any, what: str, ndim: int) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != np.int32 or array.ndim != ndim or not array.size:
        raise BadField(f"lossless part: {what} must be a {ndim}-dimensional int32 array, not empty")


def _check_map(likelihood: PixelLikelihood) -> None:
    found = likelihood.map_network.result
    if len(found.shape) != 3 or found.low.min() < 0 or found.high.max() > PIXEL_HIGH:
        raise BadField(
            f"lossless part: the map must be (h/2, w/2, c) of 0..255, found {found.shape} of "
            f"{found.low.min()}..{found.high.max()}"
        )


def _check_phase(likelihood: PixelLikelihood, position: int) -> None:
    (height, width, channels), network = likelihood.map_network.result.shape, likelihood.phases[position]
    wanted = height * width * (channels + position)
    if len(network.input_low) != wanted:
        raise BadField(f"lossless part: phase {position} takes {len(network.input_low)} values, expected {wanted}")
    if network.input_low.any() or (network.input_high != PIXEL_HIGH).any():
        raise BadField(f"lossless part: phase {position} must take inputs of 0..255")
    found, limit = network.result, likelihood.limit
    if found.shape != (height, width, likelihood.outputs):
        raise BadField(
            f"lossless part: phase {position} gives {found.shape}, expected {(height, width, likelihood.outputs)}"
        )
    if found.low.min() < -limit or found.high.max() > limit:
        raise BadField(
            f"lossless part: phase {position} gives logit indices {found.low.min()}..{found.high.max()}, "
            f"beyond ±{limit}"
        )
