"""What symbols cost, in nats: their information under the stored tables, and the decoded image's distortion over β.

cost = rate(symbols) + distortion(decoded, image) / β(level)       the objective that the model was trained with
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.tables import CodingTables
from vaecodec.errors import ModelError
from vaecodec.exact.operations import Array
from vaecodec.modelfile.model import Model

Float64 = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Columns = npt.NDArray[np.intp]

PEAK = 255
LEAST_SIGMA = 1e-4  # the training's own limit; a model file may claim anything


class Distortion(Protocol):
    """-log p(image | decoded), pixels 0..255 in float32 (b, h, w); only pixels `inside` (b, h, w) count."""

    def nats(self, decoded: Array, image: Array, inside: Bools) -> Float64: ...
    def slope(self, decoded: Array, image: Array, inside: Bools) -> Array:
        """Of the nats, by each decoded pixel."""
        ...

    def curvature(self, decoded: Array) -> Array:
        """The second derivative by each decoded pixel, about; where the image is like the decoded one."""
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
