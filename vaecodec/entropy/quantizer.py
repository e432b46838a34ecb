"""The quantizer: latents to symbols and back.

y (..., n) float --round_to_symbols--> symbols (..., n) int32 --dequantise--> y_hat (..., n) float32

symbols = rint((y - center) / step)          y_hat = center + step * symbols
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.entropy.tables import Int32
from vaecodec.errors import BadField, ModelError

MAX_SYMBOL = 1 << 30  # far outside every table, and still clear of int32's ends for what is added to it


@dataclass(frozen=True, slots=True, eq=False)
class Quantizer:
    """Uniform quantizer of n latents: center and step float32 (n,), steps > 0. Raises BadField."""

    center: npt.NDArray[np.float32]
    step: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        for name, array in (("center", self.center), ("step", self.step)):
            if not isinstance(array, np.ndarray) or array.dtype != np.float32 or array.ndim != 1:
                raise BadField(f"quantizer: {name} must be a 1-dimensional float32 array")
            if not np.isfinite(array).all():
                raise BadField(f"quantizer: {name} must be finite")
        if self.center.shape != self.step.shape:
            raise BadField(f"quantizer: {self.center.size} centers, {self.step.size} steps")
        if (self.step <= 0).any():
            raise BadField("quantizer: every step must be above 0")

    @classmethod
    def rounding(cls, latents: int) -> "Quantizer":
        """Of latents in steps already: center 0 and step 1."""
        return cls(np.zeros(latents, np.float32), np.ones(latents, np.float32))

    def round_to_symbols(self, y: npt.NDArray[Any]) -> Int32:
        """Symbols int32 (..., n) of latents (..., n), clamped to +-2**30. Raises ModelError for NaN."""
        scaled = (y.astype(np.float64) - self.center) / self.step
        if np.isnan(scaled).any():
            raise ModelError("latents: the analysis transform gave a value that is not a number")
        return np.asarray(np.clip(np.rint(scaled), -MAX_SYMBOL, MAX_SYMBOL), dtype=np.int32)

    def dequantise(self, symbols: Int32) -> npt.NDArray[np.float32]:
        """Latents y_hat float32 (..., n) of symbols (..., n); computed in float64 and rounded once."""
        return (self.center + self.step.astype(np.float64) * symbols).astype(np.float32)
