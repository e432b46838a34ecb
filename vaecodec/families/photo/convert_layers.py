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
import numpy.typing as npt
from torch import Tensor, nn

from vaecodec.errors import NotExact
from vaecodec.photo.convolution import EXACT_IN_FLOAT32, MAX_INPUT_SHIFT, MAX_SHIFT, TRUNK, ExactConvolution, Float64

WEIGHT_BITS = 10
ROOM = 1.25  # above the greatest value of the calibration, before anything is clamped
QUIET = 0.1  # of the loudest channel's clamp: others are clamped to no less


@contextmanager
def greatest_inputs(model: nn.Module) -> Iterator[dict[str, Float64]]:
    """While the context lasts, collect the greatest |input| of each convolution by its name, (channels,)."""
    found: dict[str, Float64] = {}

    def hook(name: str) -> Any:
        def collect(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            greatest = inputs[0].detach().abs().amax((0, 2, 3)).double().numpy()
            found[name] = np.maximum(found.get(name, 0.0), greatest)

        return collect

    convolutions = [(name, m) for name, m in model.named_modules() if isinstance(m, nn.Conv2d)]
    handles = [module.register_forward_pre_hook(hook(name)) for name, module in convolutions]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def fraction_bits(greatest: Mapping[str, Float64], *names: str, limit: int = TRUNK) -> int:
    """Bits after the point of a tensor that is the input of the named convolutions: as many as its values leave."""
    most = max((greatest[name].max() for name in names), default=0.0)
    return math.floor(math.log2(limit / (ROOM * max(most, 1e-3))))


def clamps(greatest: Float64) -> Float64:
    """What each channel is clamped to: more than a calibration has seen, and not much less than in other channels."""
    return ROOM * np.maximum(greatest, QUIET * greatest.max(initial=1e-3))


def fast_bits(weight: Tensor, greatest: Float64, *, relu: bool = False) -> int:
    """Fraction bits of an input with which the products of a row of taps stay exact in float32."""
    real = weight.detach().double().numpy()
    weights = np.rint(real * np.exp2(_scale(real))[:, None, None, None]) * clamps(greatest)[:, None, None]
    up, down = (np.maximum(sign * weights, 0).sum((1, 3)) for sign in (1, -1))
    most = (np.maximum(up, down) if relu else up + down).max()
    return math.floor(math.log2((EXACT_IN_FLOAT32 - 1) / max(most, 1.0)))


def integer_convolution(
    weight: Tensor,
    bias: Tensor | None,
    *,
    fractions: tuple[int, int],
    relu: bool = False,
    limit: int = TRUNK,
    fast: Float64 | None = None,
) -> ExactConvolution:
    """weight (o, i, k, k), bias (o,); fractions: of the input and of the result; relu, limit: of the input.

    fast: the greatest |inputs| (i,), where the input is to have few enough bits for float32: with several rows of taps,
    of which each is summed apart, there are enough. Raises NotExact.
    """
    real = weight.detach().double().numpy()
    into, out = fractions
    limits = np.full(real.shape[1], limit, np.int32)
    input_shift = 0
    if fast is not None and real.shape[2] > 1:
        input_shift = min(MAX_INPUT_SHIFT, max(0, into - fast_bits(weight, fast, relu=relu)))
        into -= input_shift
        limits = np.minimum(np.floor(clamps(fast) * 2.0**into), limit).astype(np.int32)
    scale = _scale(real)
    shift = np.clip(scale + into - out, 0, MAX_SHIFT)
    scale = shift - into + out  # a channel of tiny weights has fewer bits
    if (np.abs(real).max((1, 2, 3)) * np.exp2(scale) >= 2**15 - 1).any():
        raise NotExact("weights are too large for the fractions of input and result")
    weights = np.rint(real * np.exp2(scale)[:, None, None, None]).astype(np.int16)
    real_bias = np.zeros(len(real)) if bias is None else bias.detach().double().numpy()
    integer_bias = np.rint(real_bias * np.exp2(scale + into)).astype(np.int64)
    return ExactConvolution(
        np.ascontiguousarray(weights.transpose(2, 3, 1, 0)), integer_bias, shift, limits, relu, input_shift
    )


def _scale(real: Float64) -> npt.NDArray[np.int64]:
    """The power of two of each output channel that leaves its weights WEIGHT_BITS."""
    greatest = np.maximum(np.abs(real).max((1, 2, 3)), 1e-12)
    return np.asarray(np.floor(np.log2((2 ** (WEIGHT_BITS - 1) - 1) / greatest)), np.int64)
