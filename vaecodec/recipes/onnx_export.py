"""The analysis transform as an ONNX graph with float16 weights, some of them with int8.

The weights are rounded in the model itself, before anything is measured, so that what is measured is what is stored: a
tensor that lies on the int8 grid of its rows is stored so, one that float16 holds is stored as float16.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from jaxtyping import Float
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from vaecodec.layers.base import VAE
from vaecodec.layers.sizes import ImageSizes
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.recipes.pack_analysis import STEPS, pack_analysis

BYTE_TOP = 127
SMALLEST_HALVED = 64  # elements; smaller tensors (shapes, biases of a few channels) stay float32


class MeanOf(nn.Module):
    """(b, h, w) → the posterior means of the coded latents (b, n)."""

    def __init__(self, model: VAE, active: Tensor) -> None:
        super().__init__()
        self.model = model
        self.active = active

    def forward(self, x: Float[Tensor, "b h w"]) -> Float[Tensor, "b n"]:
        return self.model.analyse(x).mean[:, self.active]


@torch.no_grad()
def halve_weights(model: nn.Module) -> None:
    """Round the large parameters to float16, in place."""
    for parameter in model.parameters():
        if parameter.numel() >= SMALLEST_HALVED:
            parameter.copy_(parameter.clamp(-65504, 65504).half().float())


@torch.no_grad()
def round_to_bytes(layer: nn.Linear) -> None:
    """Round a layer's weights to 127 steps on either side of 0, the step of each row a float16, in place."""
    step = (layer.weight.abs().amax(dim=1, keepdim=True) / BYTE_TOP).clamp_min(1e-6).half().float()
    layer.weight.copy_((layer.weight / step).round().clamp(-BYTE_TOP, BYTE_TOP) * step)


class LinearParts(nn.Module):
    """A Linear as the sum of two, over its first inputs and the rest, so that each has steps of its own."""

    def __init__(self, layer: nn.Linear, first: int) -> None:
        super().__init__()
        self.first = nn.Linear(first, layer.out_features)
        self.rest = nn.Linear(layer.in_features - first, layer.out_features, bias=False)
        self.first.bias = layer.bias
        with torch.no_grad():
            self.first.weight.copy_(layer.weight[:, :first])
            self.rest.weight.copy_(layer.weight[:, first:])

    def forward(self, x: Float[Tensor, "b i"]) -> Float[Tensor, "b o"]:
        first = self.first.in_features
        result: Tensor = self.first(x[:, :first]) + self.rest(x[:, first:])
        return result


def export_analysis(model: VAE, active: Tensor) -> Analysis:
    """ONNX: input float32 (batch, h, w) in 0..1, output float32 (batch, n)."""
    return export_module(MeanOf(model, active), model.config)


def export_module(module: nn.Module, sizes: ImageSizes) -> Analysis:
    """As export_analysis, of a module that takes images (b, h, w) and gives what is coded (b, n)."""
    return export_graph(module, {"images": torch.zeros(2, sizes.height, sizes.width)})


def export_graph(module: nn.Module, examples: dict[str, Tensor], *, fold: bool = True, steps: int = STEPS) -> Analysis:
    """ONNX of a module; examples: name → an input, whose first axis is the batch.

    fold: compute constants now. steps: how finely weights are rounded (pack_analysis.py).
    """
    batch = torch.export.Dim("batch", min=1)
    return _exported(module, examples, tuple({0: batch} for _ in examples), fold=fold, steps=steps)


def export_map(module: nn.Module, example: Tensor, *, multiple: int, steps: int = STEPS) -> Analysis:
    """ONNX of a module that takes one map (1, c, h, w) of any size, whose sides are multiples of a number."""
    free = {2: multiple * torch.export.Dim("rows", min=1), 3: multiple * torch.export.Dim("columns", min=1)}
    return _exported(module, {"map": example}, (free,), fold=True, steps=steps)


def _exported(
    module: nn.Module, examples: dict[str, Tensor], free: tuple[dict[int, Any], ...], *, fold: bool, steps: int
) -> Analysis:
    """free: the axes of each input that may have any length."""
    graph = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(examples.values()),
            graph,  # type: ignore[arg-type]  # a file works, the annotation knows only paths
            input_names=list(examples),
            output_names=["latents"],
            dynamic_shapes=free,
            dynamo=True,
            external_data=False,
            verbose=False,
            optimize=fold,
        )
    return pack_analysis(_with_small_weights(graph.getvalue()), steps)


def _with_small_weights(data: bytes) -> bytes:
    """Store large float32 initialisers smaller, each behind a Cast; names of this machine's files are dropped."""
    proto = onnx.load_model_from_string(data)
    casts = []
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST_HALVED:
            continue
        nodes = _from_bytes(tensor, values)
        if nodes:
            casts += nodes
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue  # made by the exporter's constant folding; not one of the rounded parameters
        wide, narrow = tensor.name, f"{tensor.name}_half"
        tensor.CopyFrom(numpy_helper.from_array(half, narrow))
        casts.append(helper.make_node("Cast", [narrow], [wide], to=TensorProto.FLOAT))
    everything = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(everything)
    _forget_sources(proto)
    onnx.checker.check_model(proto)
    return bytes(proto.SerializeToString())


def _from_bytes(tensor: onnx.TensorProto, values: npt.NDArray[np.float32]) -> list[onnx.NodeProto]:
    """Make the initialiser int8, where it lies on such a grid (round_to_bytes); the nodes that bring it back."""
    if values.ndim != 2:
        return []
    step = np.abs(values).max(axis=1, keepdims=True) / np.float32(BYTE_TOP)
    whole = np.rint(values / np.where(step > 0, step, 1)).astype(np.int8)
    if not np.array_equal(whole.astype(np.float32) * step, values):
        return []
    name = tensor.name
    tensor.CopyFrom(numpy_helper.from_array(whole, f"{name}_bytes"))
    return [
        helper.make_node("Cast", [f"{name}_bytes"], [f"{name}_whole"], to=TensorProto.FLOAT),
        helper.make_node("Constant", [], [f"{name}_step"], value=numpy_helper.from_array(step)),
        helper.make_node("Mul", [f"{name}_whole", f"{name}_step"], [name]),
    ]


def _forget_sources(proto: onnx.ModelProto) -> None:
    """Remove stack traces and other notes of the exporter."""
    for node in proto.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for info in (*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        info.ClearField("metadata_props")
        info.ClearField("doc_string")
    del proto.graph.value_info[:]
    proto.graph.ClearField("metadata_props")
    proto.ClearField("metadata_props")
