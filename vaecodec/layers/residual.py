"""Residual layers that several families share.

h ──relu──inner──relu──outer──(+)──>        inner, outer: Linear, or convolutions size × size and 1 × 1
└───────────────────────────────┘

An analysis may read its stream normalised instead, by SiLU: there nothing has to be exact in integers. Behind a ReLU
most of its units died in every model that was looked at, and what was left was nearly linear (docs/models.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class Reading(NamedTuple):
    """How a layer reads a residual stream (b, u): first `scale`, which may normalise it, then `bend`, its nonlinearity.

    What lies inside a block is no stream; there only `bend` is applied.
    """

    scale: Callable[[Tensor], Tensor]
    bend: Callable[[Tensor], Tensor]

    def __call__(self, h: Float[Tensor, "*batch u"]) -> Float[Tensor, "*batch u"]:
        return self.bend(self.scale(h))


def same(h: Float[Tensor, "*batch u"]) -> Float[Tensor, "*batch u"]:
    """h."""
    return h


def layer_norm(h: Float[Tensor, "*batch u"]) -> Float[Tensor, "*batch u"]:
    """Each row at mean 0 and deviation 1 (Ba et al. 2016), nothing learned."""
    return F.layer_norm(h, h.shape[-1:])


RECTIFIED = Reading(same, F.relu)
NORMALISED = Reading(layer_norm, F.silu)


class ResidualBlock(nn.Module):
    """h + B f(A f(h)) (He et al. 2016, pre-activation), over the last axis; f is ReLU, B begins at zero."""

    def __init__(self, units: int, hidden: int, reading: Reading = RECTIFIED) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(units, hidden), nn.Linear(hidden, units)
        self.reading = reading
        _begin_at_zero(self.outer)

    def forward(self, h: Float[Tensor, "*batch u"]) -> Float[Tensor, "*batch u"]:
        result: Tensor = h + self.outer(self.reading.bend(self.inner(self.reading(h))))
        return result


class ConvBlock(nn.Module):
    """As ResidualBlock, over the channels of a map; A looks at size × size positions."""

    def __init__(self, channels: int, hidden: int, size: int) -> None:
        super().__init__()
        self.inner = nn.Conv2d(channels, hidden, size, padding=size // 2)
        self.outer = nn.Conv2d(hidden, channels, 1)
        _begin_at_zero(self.outer)

    def forward(self, h: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        result: Tensor = h + self.outer(self.inner(h.relu()).relu())
        return result


class ResidualMLP(nn.Module):
    """Linear, blocks, ReLU, Linear."""

    def __init__(self, inputs: int, units: int, blocks: int, outputs: int, reading: Reading = RECTIFIED) -> None:
        super().__init__()
        self.enter = nn.Linear(inputs, units)
        self.blocks = nn.ModuleList(ResidualBlock(units, units, reading) for _ in range(blocks))
        self.leave = nn.Linear(units, outputs)
        self.reading = reading

    def forward(self, x: Float[Tensor, "b i"]) -> Float[Tensor, "b o"]:
        h = self.enter(x)
        for block in self.blocks:
            h = block(h)
        result: Tensor = self.leave(self.reading(h))
        return result


def _begin_at_zero(layer: nn.Linear | nn.Conv2d) -> None:
    nn.init.zeros_(layer.weight)
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
