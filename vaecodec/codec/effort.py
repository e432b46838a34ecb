"""Effort: better symbols for the same model, at the encoder's expense; the decoder knows nothing of it.

    symbols ──evaluate──> decoded image ──gradient──> what moving each symbol by one would do to the cost, about
       ^                                                     │ those that promise most, all at once
       └────── kept where the true cost fell <───evaluate────┘ fewer of them where it did not

    cost = rate(symbols) + distortion(decoded, image) / β(level), in nats: the objective that the model was trained with

A round tries one set of moves for each image: one evaluation of the model, and one gradient where the cost fell, which
takes as long. Costs are counted under the stored tables and on the pixels that a decoder gives, so they never rise.
Yang, Bamler & Mandt 2020, "Improving inference for neural image compression", refine latents likewise, before rounding.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vaecodec.arrays import Pixels, Symbols
from vaecodec.codec.quality import PEAK
from vaecodec.codec.synthesis import Synthesis
from vaecodec.codec.target import SMALLEST_BETA
from vaecodec.entropy.tables import CodingTables, Float64
from vaecodec.errors import ModelError
from vaecodec.exact.gradient import ExactGradient
from vaecodec.exact.operations import Array
from vaecodec.modelfile.model import Model

Bools = npt.NDArray[np.bool_]
Columns = npt.NDArray[np.intp]

LEAST_SIGMA = 1e-4  # the training's own limit; a model file may claim anything
ROUNDS = (0, 4, 24)  # of each effort
# Moving one symbol adds half its curvature to the cost, on the mean over images; for a given image it may add less.
# The first rounds count most of that half, later ones less and less, to try more; what costs more is not kept.
FIRST_CAUTION, LAST_CAUTION, CAUTION_STEP = 0.7, 0.25, 0.025
FIRST_SHARE = 0.2  # moves are tried that promise at least this share of the best one's gain
LEAST_GAIN = 1e-9  # nats
PROBES, PROBE_SIGNS = 64, 4  # symbols drawn from the prior, and random signs for each, that curvature is measured with


class Distortion(Protocol):
    """-log p(image | decoded), values 0..255 in float32 (b, h, w, c); only those `inside` (b, h, w, c) count."""

    def nats(self, decoded: Array, image: Array, inside: Bools) -> Float64: ...
    def slope(self, decoded: Array, image: Array, inside: Bools) -> Array:
        """Of the nats, by each decoded value."""
        ...

    def curvature(self, decoded: Array) -> Array:
        """The second derivative by each decoded value, about; where the image is like the decoded one."""
        ...


@dataclass(frozen=True, slots=True)
class GaussianDistortion:
    """Squared error / (2 σ²), pixels in 0..1."""

    sigma: float

    @property
    def _unit(self) -> float:
        return 1 / (2 * (PEAK * self.sigma) ** 2)

    def nats(self, decoded: Array, image: Array, inside: Bools) -> Float64:
        difference = np.where(inside, decoded - image, 0).astype(np.float64)
        return np.asarray(np.square(difference).reshape(len(difference), -1).sum(axis=1) * self._unit)

    def slope(self, decoded: Array, image: Array, inside: Bools) -> Array:
        return np.where(inside, (decoded - image) * np.float32(2 * self._unit), np.float32(0))

    def curvature(self, decoded: Array) -> Array:
        return np.full_like(decoded, 2 * self._unit)


@dataclass(frozen=True, slots=True)
class BernoulliDistortion:
    """Cross-entropy, pixels in 0..1; a decoded pixel is never nearer to black or white than half a grey level."""

    def nats(self, decoded: Array, image: Array, inside: Bools) -> Float64:
        p, x = self._probability(decoded).astype(np.float64), image.astype(np.float64) / PEAK
        nats = np.where(inside, -x * np.log(p) - (1 - x) * np.log1p(-p), 0)
        return np.asarray(nats.reshape(len(nats), -1).sum(axis=1))

    def slope(self, decoded: Array, image: Array, inside: Bools) -> Array:
        p, x = self._probability(decoded), image / np.float32(PEAK)
        return np.where(inside, (p - x) / (p * (1 - p) * np.float32(PEAK)), np.float32(0))

    def curvature(self, decoded: Array) -> Array:
        p = self._probability(decoded)
        return 1 / (p * (1 - p) * np.float32(PEAK**2))

    @staticmethod
    def _probability(decoded: Array) -> Array:
        return np.clip(decoded, np.float32(0.5), np.float32(PEAK - 0.5)) / np.float32(PEAK)


def distortion_of(model: Model) -> Distortion:
    """What the model's record says that it was trained with.

    Raises ModelError where it does not say, or where moving a symbol changes what later ones cost.
    """
    if model.priors is not None:
        raise ModelError(f"{model.name} has priors that depend on symbols: it compresses with effort 0 alone")
    try:
        objective = model.about["config"]["objective"]
        if objective["likelihood"] == "bernoulli":
            return BernoulliDistortion()
        if objective["likelihood"] == "gaussian" and LEAST_SIGMA <= objective["pixel_sigma"] < math.inf:
            return GaussianDistortion(float(objective["pixel_sigma"]))
    except (KeyError, TypeError):
        pass
    raise ModelError(f"{model.name} does not say how its β weighs distortion: it compresses with effort 0 alone")


class SymbolCosts:
    """Of the m coded latents at one level: nats of each column but the escape, and what a move by one changes."""

    def __init__(self, tables: CodingTables) -> None:
        self.latents = np.flatnonzero(tables.coded)
        self._offsets = tables.coded_offsets
        self._width = tables.alphabet - 1
        nats = tables.column_bits[self.latents, : self._width] * math.log(2)
        steps, never = np.diff(nats, axis=1), np.full((len(self.latents), 1), np.inf)
        self._nats = nats.ravel()
        self._up = np.hstack([steps, never]).astype(np.float32).ravel()
        self._down = np.hstack([never, -steps]).astype(np.float32).ravel()
        self._rows = np.arange(len(self.latents)) * self._width

    def columns(self, symbols: npt.NDArray[np.int32]) -> tuple[Columns, Bools]:
        """Columns (b, m) of symbols (b, n), and which are escapes (then the column is 0)."""
        columns = symbols.take(self.latents, axis=1).astype(np.intp) - self._offsets
        escaped = (columns < 0) | (columns >= self._width)
        return np.where(escaped, 0, columns), escaped

    def place(self, symbols: npt.NDArray[np.int32], columns: Columns, escaped: Bools) -> npt.NDArray[np.int32]:
        """`symbols` (b, n) with those of the columns (b, m), but for escapes, which stay."""
        placed = symbols.copy()
        moved = (columns + self._offsets).astype(np.int32)
        placed[:, self.latents] = np.where(escaped, symbols[:, self.latents], moved)
        return placed

    def nats(self, columns: Columns, escaped: Bools) -> Float64:
        """Of all columns of a row (b,); those of escapes, which never move, are left out."""
        return np.asarray(np.where(escaped, 0, self._nats[self._rows + columns]).sum(axis=1))

    def moves(self, columns: Columns) -> tuple[Array, Array]:
        """Nats more (b, m) if the symbol were one higher, and if it were one lower; infinite beyond the table."""
        index = self._rows + columns
        return self._up[index], self._down[index]


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """What a level needs. curvature: (m,), how the distortion over β bends along each coded latent's symbol."""

    costs: SymbolCosts
    beta: float
    curvature: Array


@dataclass(slots=True, eq=False)
class _Search:
    """Some images on their way, a row each. gradient: of distortion / β by the symbols of the coded latents.

    share: moves are tried that promise at least so much of the best; barred: symbols that are not to be moved.
    """

    symbols: Symbols
    columns: Columns
    escaped: Bools
    cost: Float64
    gradient: Array
    share: Array
    barred: Bools


class Refiner:
    """Refines the symbols of one model. Raises ModelError where the model does not say what its β weighs."""

    least_piece = 64  # images that are worth a core of their own

    def __init__(self, model: Model, synthesis: Synthesis) -> None:
        self._model = model
        self._synthesis = synthesis
        self._distortion = distortion_of(model)
        self._gradient = ExactGradient(model.synthesis, model.latents)
        self._levels: dict[int, _Prepared] = {}

    def __call__(self, images: Pixels, inside: Bools, symbols: Symbols, level: int, effort: int) -> Symbols:
        """Symbols (b, n) that cost no more than those given.

        images: (b, h, w) or (b, h, w, 3); only the pixels that `inside`, of the same shape, is true of count.
        """
        rows, shape = self._synthesis.many_rows, (-1, *self._model.synthesis.result.shape)
        images, inside = images.reshape(shape), inside.reshape(shape)
        parts = [slice(first, first + rows) for first in range(0, len(images), rows)]
        return np.concatenate(
            [self._refine(images[p].astype(np.float32), inside[p], symbols[p], level, ROUNDS[effort]) for p in parts]
        )

    def _refine(self, images: Array, inside: Bools, symbols: Symbols, level: int, rounds: int) -> Symbols:
        prepared = self._prepared(level)
        columns, escaped = prepared.costs.columns(symbols)
        whole = np.arange(len(symbols))
        cost, values = self._evaluate(prepared, images, inside, symbols, columns, escaped, level)
        search = _Search(
            symbols=symbols.copy(),
            columns=columns,
            escaped=escaped,
            cost=cost,
            gradient=self._gradient_of(prepared, values, images, inside),
            share=np.full(len(symbols), FIRST_SHARE, np.float32),
            barred=escaped.copy(),
        )
        for number in range(rounds):
            caution = np.float32(max(LAST_CAUTION, FIRST_CAUTION - CAUTION_STEP * number))
            columns, moved = _propose(search, prepared, caution)
            rows = whole[moved.any(axis=1)]
            if not len(rows):
                continue
            placed = prepared.costs.place(search.symbols[rows], columns[rows], search.escaped[rows])
            cost, values = self._evaluate(
                prepared, images[rows], inside[rows], placed, columns[rows], search.escaped[rows], level
            )
            better = cost < search.cost[rows] - LEAST_GAIN
            kept, gone = rows[better], rows[~better]
            search.symbols[kept], search.columns[kept] = placed[better], columns[kept]
            search.cost[kept] = cost[better]
            if len(kept) and number + 1 < rounds:
                values = [value[better] for value in values]
                search.gradient[kept] = self._gradient_of(prepared, values, images[kept], inside[kept])
            _learn(search, kept, gone, moved)
        return search.symbols

    def _evaluate(
        self,
        prepared: _Prepared,
        images: Array,
        inside: Bools,
        symbols: Symbols,
        columns: Columns,
        escaped: Bools,
        level: int,
    ) -> tuple[Float64, list[Array]]:
        """The cost (b,) but for escapes, and every value of the synthesis."""
        values = self._gradient.values(self._synthesis.input(symbols, level))
        distortion = self._distortion.nats(values[-1], images, inside)
        return prepared.costs.nats(columns, escaped) + distortion / prepared.beta, values

    def _gradient_of(self, prepared: _Prepared, values: list[Array], images: Array, inside: Bools) -> Array:
        slope = self._distortion.slope(values[-1], images, inside) / np.float32(prepared.beta)
        return self._gradient(values, slope)[:, prepared.costs.latents]

    def _prepared(self, level: int) -> _Prepared:
        found = self._levels.get(level)
        if found is None:
            costs, beta = SymbolCosts(self._model.levels[level].tables), _beta(self._model, level)
            curvature = self._curvature(level) / np.float32(beta)
            found = self._levels[level] = _Prepared(costs, beta, curvature[costs.latents])
        return found

    def _curvature(self, level: int) -> Array:
        """Of the distortion along each symbol (n,): the mean over images of Jᵀ diag(curvature) J's diagonal.

        With random signs v, (Jᵀ √curvature v)² has that mean (Hutchinson 1989). The images are drawn from the prior.
        """
        tables, rng = self._model.levels[level].tables, np.random.default_rng(level)
        totals = tables.counts.astype(np.int64).cumsum(axis=1)
        drawn = rng.integers(0, totals[:, -1:, None], (tables.n, 1, PROBES))
        columns = np.minimum((totals[:, :, None] <= drawn).sum(axis=1), tables.alphabet - 2).T
        symbols = tables.fill_collapsed((columns + tables.offsets).astype(np.int32))
        values = self._gradient.values(self._synthesis.input(symbols, level))
        root = np.sqrt(self._distortion.curvature(values[-1]))
        total = np.zeros(tables.n, np.float32)
        for _ in range(PROBE_SIGNS):
            signs = rng.integers(0, 2, root.shape).astype(np.float32) * 2 - 1
            total += np.square(self._gradient(values, root * signs)).mean(axis=0)
        return total / np.float32(PROBE_SIGNS)


def _propose(search: _Search, prepared: _Prepared, caution: np.float32) -> tuple[Columns, Bools]:
    """Columns (b, m) after the moves that are to be tried, and where they move."""
    up, down = prepared.costs.moves(search.columns)
    bend = caution * np.float32(0.5) * prepared.curvature
    up += search.gradient + bend
    down += bend - search.gradient
    change = np.minimum(up, down)
    change[search.barred] = 0
    best = change.min(axis=1, initial=0)
    moved = (change < 0) & (change <= (search.share * best)[:, None])
    return search.columns + np.where(moved, np.where(down < up, -1, 1), 0), moved


def _learn(search: _Search, kept: npt.NDArray[np.intp], gone: npt.NDArray[np.intp], moved: Bools) -> None:
    """Try more at once where the cost fell, and less where it did not; a single move that was wrong is barred."""
    search.share[kept] *= np.float32(0.5)
    search.barred[kept] = search.escaped[kept]
    single = moved[gone].sum(axis=1) == 1
    search.share[gone] = np.minimum(1, (2 * search.share[gone] + 1) / 3 + np.float32(0.02))
    search.barred[gone[single]] |= moved[gone[single]]


def _beta(model: Model, level: int) -> float:
    return max(model.levels[level].beta, SMALLEST_BETA)
