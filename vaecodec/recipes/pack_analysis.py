"""The large weights of an analysis graph in 6 to 12 bits each: rounded, taken out of the graph, packed.

ONNX graph ──weights behind a Cast──> floats ──round_weights──> Weights ──pack──> Analysis

What a graph computes with the rounded weights is what every figure is measured with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from vaecodec.modelfile.analysis_weights import Analysis, Weights, pack_weights
from vaecodec.modelfile.model import Model

SMALLEST_PACKED = 4096  # numbers; smaller tensors stay in the graph as they are
LEAST_ROUNDED_TO_BYTES = 16384  # smaller ones get wide numbers, which cost next to nothing
STEPS = 24  # in a standard deviation of the weights: an error of 1.2 %, some 6.2 bits a weight after DEFLATE
FINE_STEPS = 240  # for a curve's finest levels, whose latents are large: 36 dB were 0.08 dB less with 24
STEPS_IN_THE_LARGEST = 85  # of a small tensor, times as many
BYTE_TOP, WORD_TOP = 127, 32767

FLOAT = onnx.TensorProto.FLOAT

Floats = npt.NDArray[np.float32]


def round_weights(name: str, values: Floats, steps: int = STEPS) -> Weights:
    """The tensor (channels, ...) in whole numbers, a scale for each channel.

    As bytes, where rows with large weights do not lose too much by that. A tensor in which few weights outweigh all
    others has no deviation that means anything, and gets fine steps.
    """
    rows = values.reshape(len(values), -1)
    largest = np.abs(rows).max(axis=1)
    if values.size < LEAST_ROUNDED_TO_BYTES:
        return _on_grid(name, values, largest / min(WORD_TOP, steps * STEPS_IN_THE_LARGEST))
    deviation = np.sqrt(np.square(rows).mean(dtype=np.float64)).astype(np.float32)
    as_bytes = _on_grid(name, values, np.maximum(largest / BYTE_TOP, deviation / steps))
    error = np.sqrt(np.square(as_bytes.floats - values).mean(dtype=np.float64))
    if error <= 0.5 / steps * deviation:
        return as_bytes
    return _on_grid(name, values, np.maximum(largest / WORD_TOP, deviation / FINE_STEPS))


def _on_grid(name: str, values: Floats, step: Floats) -> Weights:
    scale = np.where(step > 0, step, 1).astype(np.float32)
    numbers = np.rint(values / scale.reshape(-1, *(1,) * (values.ndim - 1)))
    if np.abs(numbers).max() <= BYTE_TOP:
        return Weights(name, numbers.astype(np.int8), scale)
    return Weights(name, numbers.astype(np.int16), scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Narrow:
    """An initialiser of float16 or int8, and the nodes that make float32 of it.

    step: of int8, by row; None for float16.
    """

    name: str
    values: npt.NDArray[np.float16] | npt.NDArray[np.int8]
    step: Floats | None
    tensor: onnx.TensorProto
    nodes: tuple[onnx.NodeProto, ...]

    @property
    def floats(self) -> Floats:
        wide = self.values.astype(np.float32)
        return wide if self.step is None else wide * self.step[:, None]

    def rounded(self, steps: int) -> Weights:
        """In whole numbers; those that are int8 keep their grid."""
        if self.step is None:
            return round_weights(self.name, self.floats, steps)
        return Weights(self.name, self.values.astype(np.int8), self.step)


def pack_analysis(graph: bytes, steps: int = STEPS) -> Analysis:
    """The graph, as onnx_export.py makes it, without its large weights, and these, rounded to so many steps."""
    proto = onnx.load_model_from_string(graph)
    large = [narrow for narrow in _narrow_tensors(proto) if narrow.values.size >= SMALLEST_PACKED]
    for narrow in large:
        proto.graph.initializer.remove(narrow.tensor)
        for node in narrow.nodes:
            proto.graph.node.remove(node)
    return Analysis(proto.SerializeToString(), pack_weights([one.rounded(steps) for one in large]) if large else b"")


def floats_of(graph: bytes) -> dict[str, Floats]:
    """Every weight of a graph that is not packed, by its name in the model that was exported."""
    proto = onnx.load_model_from_string(graph)
    wide = {one.name: numpy_helper.to_array(one) for one in proto.graph.initializer if one.data_type == FLOAT}
    return wide | {narrow.name: narrow.floats for narrow in _narrow_tensors(proto)}


def _narrow_tensors(proto: onnx.ModelProto) -> list[_Narrow]:
    held = {tensor.name: tensor for tensor in proto.graph.initializer}
    makers = {name: node for node in proto.graph.node for name in node.output}
    readers = {name: node for node in proto.graph.node for name in node.input}
    found = []
    for cast in proto.graph.node:
        tensor = held.get(cast.input[0]) if cast.op_type == "Cast" else None
        if tensor is None:
            continue
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float16:
            found.append(_Narrow(cast.output[0], values, None, tensor, (cast,)))
        elif values.dtype == np.int8:
            product = readers[cast.output[0]]
            constant = makers[product.input[1]]
            step = numpy_helper.to_array(constant.attribute[0].t).reshape(-1)
            found.append(_Narrow(product.output[0], values, step, tensor, (cast, constant, product)))
    return found


def pack_model_weights(model: Model) -> Model:
    """The model with packed analyses: the same fingerprint, and almost the same symbols."""
    stored = model.stored_lossless
    if stored is not None and not stored.analysis.weights:
        stored = stored.with_analysis(pack_analysis(stored.analysis.graph))
    analysis = model.analysis
    if analysis.graph and not analysis.weights:
        analysis = pack_analysis(analysis.graph, FINE_STEPS if len(model.levels) > 1 else STEPS)
    return replace(model, analysis=analysis, stored_lossless=stored)
