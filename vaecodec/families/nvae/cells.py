"""The cells that an nvae is built of (Vahdat & Kautz 2020, section 3.1), all over maps of one side.

h ─ Swish ─ conv ─ Swish ─ conv ─ squeeze-and-excitation ─(+)─>          conv: 3 × 3, or 1 × 1 on a map of one position
└─────────────────────────────────────────────────────────┘
h ─ Swish ─ conv 1 × 1 ─ depth to space ─> a map of `factor` times the side

The paper's batch normalisation is left out: the nets are shallow, and every cell begins as the identity.
"""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

SQUEEZE = 4  # channels before the squeeze for one behind it
LEAST_SQUEEZED = 4
SWISH_SQUARED = 0.355  # mean square of Swish(x), x ~ N(0, 1)


def keep_spread(layer: nn.Conv2d, *, behind_swish: bool, gain: float = 1.0) -> None:
    """Begin such that what comes out spreads as what goes in, times `gain` (as He et al. 2015 do for ReLU).

    With torch's own beginning, which shrinks, what the latents say of an image is far below their noise, and the
    decoder learns to do without them.
    """
    variance = 1 / (layer.weight[0].numel() * (SWISH_SQUARED if behind_swish else 1.0))
    nn.init.normal_(layer.weight, std=gain * math.sqrt(variance))
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


class Pointwise(nn.Conv2d):
    """A 1 × 1 convolution; over a map of one position a product of matrices, two to three times as fast."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 1)

    def forward(self, h: Float[Tensor, "b c h w"]) -> Tensor:
        if h.shape[2:] != (1, 1):
            return super().forward(h)
        return F.linear(h.flatten(1), self.weight.flatten(1), self.bias)[:, :, None, None]


class SqueezeExcitation(nn.Module):
    """Each channel times a gate 0..1 that depends on the mean of all channels over the map (Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, max(channels // SQUEEZE, LEAST_SQUEEZED))
        self.excite = nn.Linear(self.squeeze.out_features, channels)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        gate: Tensor = self.excite(self.squeeze(x.mean(dim=(2, 3))).relu()).sigmoid()
        return x * gate[:, :, None, None]


def same_side(before: int, after: int, side: int) -> nn.Conv2d:
    """A convolution over a map that keeps its side."""
    return Pointwise(before, after) if side == 1 else nn.Conv2d(before, after, 3, padding=1)


class ResidualCell(nn.Module):
    """A residual cell of the same width inside and outside."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.inner = same_side(channels, channels, side)
        self.outer = same_side(channels, channels, side)
        self.gate = SqueezeExcitation(channels)
        keep_spread(self.inner, behind_swish=True)
        nn.init.zeros_(self.outer.weight)
        assert self.outer.bias is not None
        nn.init.zeros_(self.outer.bias)

    def forward(self, h: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        change: Tensor = self.gate(self.outer(F.silu(self.inner(F.silu(h)))))
        return h + change


class Grow(nn.Module):
    """A map to one of `factor` times the side."""

    def __init__(self, before: int, after: int, factor: int) -> None:
        super().__init__()
        self.layer = Pointwise(before, after * factor**2)
        self.spread = nn.PixelShuffle(factor)
        keep_spread(self.layer, behind_swish=True)

    def forward(self, h: Float[Tensor, "b c h w"]) -> Tensor:
        grown: Tensor = self.spread(self.layer(F.silu(h)))
        return grown


class Shrink(nn.Module):
    """The inverse: space to depth, then a 1 × 1 convolution."""

    def __init__(self, before: int, after: int, factor: int) -> None:
        super().__init__()
        self.gather = nn.PixelUnshuffle(factor)
        self.layer = Pointwise(before * factor**2, after)
        keep_spread(self.layer, behind_swish=True)

    def forward(self, h: Float[Tensor, "b c h w"]) -> Tensor:
        shrunk: Tensor = self.layer(self.gather(F.silu(h)))
        return shrunk
