"""Functions of whole numbers as tables, with a gradient: what Lookup is in the runtime.

index ──table──> whole number, exactly as exported;   gradient: the function's own slope at the index
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float
from torch import Tensor, nn

from vaecodec.layers.exact.dense import ACTIVATION_TOP
from vaecodec.layers.exact.graph import ExactGraph

Function = Callable[[Float[Tensor, " n"]], Float[Tensor, " n"]]
GATE_ONE = 256  # a gate of 1
GATE_STEPS, GATE_TOP = 128, 1023  # indices in one unit of a gate's logit; the largest


class _Through(torch.autograd.Function):
    """table[index], with slopes[index] for the gradient."""

    @staticmethod
    def forward(ctx: Any, index: Tensor, table: Tensor, slopes: Tensor) -> Tensor:
        places = index.long()
        ctx.save_for_backward(slopes[places])
        return table[places]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None, None


class ExactTable(nn.Module):
    """round(function(index)), clamped to low..high, for index -top..top."""

    table: Tensor
    slopes: Tensor

    def __init__(self, function: Function, top: int, low: int, high: int) -> None:
        super().__init__()
        self.top = top
        index = torch.arange(-top, top + 1, dtype=torch.float64, requires_grad=True)
        with torch.enable_grad():
            values = function(index)
            (slopes,) = torch.autograd.grad(values.sum(), index)
        inside = (values >= low) & (values <= high)
        self.register_buffer("table", values.detach().round().clamp(low, high).float(), persistent=False)
        self.register_buffer("slopes", torch.where(inside, slopes, 0.0).detach().float(), persistent=False)

    def forward(self, index: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        found: Tensor = _Through.apply(index + self.top, self.table, self.slopes)
        return found

    def build(self, graph: ExactGraph, x: int) -> int:
        """Add the operation."""
        table: npt.NDArray[np.float32] = self.table.numpy()[:, None]
        return graph.lookup(x, table, -self.top)


def swish_table(top: int, before: float, after: float) -> ExactTable:
    """Swish (Ramachandran et al. 2017); before, after: what one unit of its argument and of its value is worth."""
    return ExactTable(lambda k: nn.functional.silu(k * before) / after, top, -ACTIVATION_TOP, ACTIVATION_TOP)


def gate_table() -> ExactTable:
    """256 · sigmoid(index / 128)."""
    return ExactTable(lambda k: GATE_ONE * (k / GATE_STEPS).sigmoid(), GATE_TOP, 0, GATE_ONE)
