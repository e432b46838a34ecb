"""The integer-exact network once more, in torch: the second engine that the benchmark compares pixels with.

inputs (b, m) int32 --the same list of operations, torch's kernels--> (b, …) integers; (b, h, w) uint8 of a synthesis
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Lookup, Multiply, Op, Patches, Rescale, Reshape, Shuffle, Slice


def synthesise_in_torch(network: ExactNetwork, symbols: NDArray[np.int32], *, batch: int = 64) -> NDArray[np.uint8]:
    """Pixels uint8 (b, h, w) of symbols int32 (b, n), `batch` images at once."""
    return np.asarray(evaluate_in_torch(network, symbols, batch=batch)[..., 0], dtype=np.uint8)


@torch.no_grad()
def evaluate_in_torch(
    network: ExactNetwork, x: NDArray[np.int32], *, batch: int = 64, dtype: torch.dtype = torch.float32
) -> NDArray[np.float32]:
    """The network's result for inputs (b, m), `batch` rows at once, as vaecodec.exact.network gives it."""
    parts = [_result(network, x[start : start + batch], dtype) for start in range(0, len(x), batch)]
    return np.concatenate(parts)


def _result(network: ExactNetwork, x: NDArray[np.int32], dtype: torch.dtype) -> NDArray[np.float32]:
    clamped = np.clip(x, network.input_low, network.input_high).astype(np.float32)
    values = [torch.from_numpy(clamped).to(dtype)]
    for op in network.ops:
        values.append(apply(op, *(values[source] for source in op.sources)))
    return np.asarray(values[-1].to(torch.float32).numpy())


def apply(op: Op, x: Tensor, *more: Tensor) -> Tensor:
    """One operation of docs/format.md on integers held in float32."""
    match op:
        case Dense():
            return F.linear(x, torch.from_numpy(op.weight).to(x.dtype)) + torch.from_numpy(op.bias)
        case Rescale():
            scale = torch.from_numpy(op.shift.astype(np.float32)).to(x.dtype).neg().exp2()
            return (x * scale).round().clamp(op.low, op.high)
        case Add():
            return x + more[0]
        case Multiply():
            return x * more[0]
        case Slice():
            return x[..., op.start : op.stop]
        case Lookup():
            return _look_up(op, x)
        case Patches():
            return _patches(x, op.size, op.pad)
        case Shuffle():
            return _shuffle(x, op.factor, op.crop)
        case Reshape():
            return x.reshape(len(x), op.height, op.width, -1)


def _look_up(op: Lookup, x: Tensor) -> Tensor:
    table = torch.from_numpy(op.table).to(x.dtype)
    table = table.expand(x.shape[-1], -1, -1)
    index = x.long() - op.low
    channels = torch.arange(x.shape[-1]).expand(index.shape)
    return table[channels, index].reshape(*x.shape[:-1], -1)


def _patches(x: Tensor, size: int, pad: int) -> Tensor:
    """Windows by two unfolds: (b, h, w, c) -> (b, h', w', size·size·c), row by row within a window."""
    padded = F.pad(x, (0, 0, pad, pad, pad, pad))
    windows = padded.unfold(1, size, 1).unfold(2, size, 1)  # b h' w' c row column
    return windows.permute(0, 1, 2, 4, 5, 3).reshape(*windows.shape[:3], -1)


def _shuffle(x: Tensor, factor: int, crop: int) -> Tensor:
    b, h, w, channels = x.shape
    split = x.reshape(b, h, w, factor, factor, channels // factor**2)
    image = split.transpose(2, 3).reshape(b, h * factor, w * factor, -1)
    return image[:, crop : h * factor - crop, crop : w * factor - crop]
