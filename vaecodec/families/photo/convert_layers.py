"""From trained convolutions to integer ones: formats of activations from a calibration, weights of 10 bits a channel.

    float model, pictures --hooks--> greatest |input| of every convolution --> fraction bits of every tensor
    weights (o, i, k, k), fractions of input and output --> ExactConvolution

A tensor with f fraction bits holds real · 2^f, rounded, in 16 bits. Weights of an output channel share a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from torch import Tensor, nn

from vaecodec.errors import NotExact
from vaecodec.photo.convolution import TRUNK, ExactConvolution

WEIGHT_BITS = 10
ROOM = 1.5  # above the greatest value of the calibration, before anything is clamped
MAX_SHIFT = 40


@contextmanager
def greatest_inputs(model: nn.Module) -> Iterator[dict[str, float]]:
    """While the context lasts, collect the greatest |input| of each convolution by its name."""
    found: dict[str, float] = {}

    def hook(name: str) -> Any:
        def collect(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            found[name] = max(found.get(name, 0.0), inputs[0].detach().abs().max().item())

        return collect

    convolutions = [(name, m) for name, m in model.named_modules() if isinstance(m, nn.Conv2d)]
    handles = [module.register_forward_pre_hook(hook(name)) for name, module in convolutions]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def fraction_bits(greatest: Mapping[str, float], *names: str, limit: int = TRUNK) -> int:
    """Bits after the point of a tensor that is the input of the named convolutions: as many as its values leave."""
    most = max((greatest[name] for name in names), default=0.0)
    return math.floor(math.log2(limit / (ROOM * max(most, 1e-3))))


def integer_convolution(
    weight: Tensor,
    bias: Tensor | None,
    *,
    fractions: tuple[int, int],
    relu: bool = False,
    limit: int = TRUNK,
    bits: int = WEIGHT_BITS,
) -> ExactConvolution:
    """weight (o, i, k, k), bias (o,); fractions: of the input and of the result; relu, limit: of the input.

    Raises NotExact.
    """
    real = weight.detach().double().numpy()
    into, out = fractions
    greatest = np.abs(real).max((1, 2, 3))
    scale = np.floor(np.log2((2 ** (bits - 1) - 1) / np.maximum(greatest, 1e-12))).astype(np.int64)
    shift = np.clip(scale + into - out, 0, MAX_SHIFT)
    scale = shift - into + out  # a channel of tiny weights has fewer bits
    if (np.abs(real).max((1, 2, 3)) * np.exp2(scale) >= 2**15 - 1).any():
        raise NotExact("weights are too large for the fractions of input and result")
    weights = np.rint(real * np.exp2(scale)[:, None, None, None]).astype(np.int16)
    real_bias = np.zeros(len(real)) if bias is None else bias.detach().double().numpy()
    integer_bias = np.rint(real_bias * np.exp2(scale + into)).astype(np.int64)
    return ExactConvolution(
        np.ascontiguousarray(weights.transpose(2, 3, 1, 0)),
        integer_bias,
        shift,
        np.full(weights.shape[1], limit, np.int32),
        relu,
    )
