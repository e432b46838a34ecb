"""What the last operation of an exact synthesis makes of an index: a pixel; and the logit that stands for that pixel.

    index, |index| ≤ top ─ / steps ─> z ─┬─ pixel of z, 0..1 ─ · 255, rounded ─> table, which the network ends with
                                         └─ logit of z ─> what a likelihood takes

A network stores the table and not what its index means. The tables differ, so the table says which scale it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor

from vaecodec.errors import ModelError
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Lookup
from vaecodec.layers.soft_clamp import clamped_logits, soft_clamp


@dataclass(frozen=True, slots=True)
class PixelScale:
    """steps: index units in one unit of z. top: the largest index. pixels, logits: of z, float (any)."""

    name: str
    steps: int
    top: int
    pixels: Callable[[Tensor], Tensor]
    logits: Callable[[Tensor], Tensor]

    def logits_of(self, index: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """What a likelihood takes, of indices in float."""
        return self.logits(index / self.steps)

    def table(self) -> npt.NDArray[np.float32]:
        """The pixel of every index from -top to top, 0..255; (2 · top + 1, 1)."""
        index = torch.arange(-self.top, self.top + 1, dtype=torch.float64)
        pixels: npt.NDArray[np.float32] = (255 * self.pixels(index / self.steps)).round().float().numpy()
        return pixels[:, None]


def _as_it_is(z: Tensor) -> Tensor:
    return z


# Half a grey level an index unit at the most.
SIGMOID = PixelScale("sigmoid", steps=128, top=1024, pixels=torch.sigmoid, logits=_as_it_is)
# Black and white are 512 units apart.
SOFT_CLAMP = PixelScale("soft clamp", steps=512, top=1024, pixels=soft_clamp, logits=clamped_logits)
PIXEL_SCALES = (SIGMOID, SOFT_CLAMP)


def scale_of(network: ExactNetwork) -> PixelScale:
    """The scale whose table a synthesis ends with. Raises ModelError where it is none of these."""
    last = network.ops[-1] if network.ops else None
    for scale in PIXEL_SCALES:
        if isinstance(last, Lookup) and last.low == -scale.top and np.array_equal(last.table[0], scale.table()):
            return scale
    raise ModelError(f"the network ends with no table of {' or '.join(scale.name for scale in PIXEL_SCALES)}")
