"""What an ONNX graph may hold, looked at before ONNX Runtime sees a byte of it.

bytes ──protobuf──> messages of fields that are known ──check_graph──> nothing, or an error of ours

Model files come from strangers, and ONNX can do more than a network needs: read other files (external data), run
subgraphs in loops, call functions and operators of other domains. A graph of ours is a list of plain operators and
tensors with their data in them; whatever else stands in it is refused. Numbers of fields and types: onnx.proto3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vaecodec.bitstream.reader import Buffer
from vaecodec.errors import BadField, LimitExceeded, Truncated
from vaecodec.limits import limits

OF_ELEMENTS = (
    "Abs Add And Cast CastLike Ceil Clip Cos Div Elu Equal Erf Exp Floor Gelu Greater GreaterOrEqual HardSigmoid "
    "HardSwish Identity LeakyRelu Less LessOrEqual Log Max Min Mish Mod Mul Neg Not Or PRelu Pow Reciprocal Relu Round "
    "Selu Sigmoid Sign Sin Softplus Softsign Sqrt Sub Sum Tanh Where Xor"
)
OF_SUMS = (
    "ArgMax AveragePool BatchNormalization Conv ConvTranspose Einsum Gemm GlobalAveragePool GroupNormalization "
    "InstanceNormalization LayerNormalization LogSoftmax MatMul MaxPool ReduceL2 ReduceMax ReduceMean ReduceMin "
    "ReduceSum ReduceSumSquare Softmax"
)
OF_PLACES = (
    "Concat Constant ConstantOfShape DepthToSpace Expand Flatten Gather GatherElements GatherND Pad Range Reshape "
    "Shape Size Slice SpaceToDepth Split Squeeze Tile Transpose Unsqueeze"
)
OPERATORS = frozenset(" ".join((OF_ELEMENTS, OF_SUMS, OF_PLACES)).split())
DOMAINS = ("", "ai.onnx")
FLOAT, INT64 = 1, 7
ELEMENT_BYTES = {FLOAT: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, INT64: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8}
VARINT, FIXED_64, LENGTH, FIXED_32 = 0, 1, 2, 5  # kinds of a field on the wire
MAX_VARINT_BYTES = 10  # of a negative int64

Value = int | memoryview
Fields = dict[int, list[Value]]
Shape = tuple[int | None, ...]  # None: of any length


@dataclass(frozen=True, slots=True)
class Message:
    """A message of onnx.proto3 and the fields that it may have; those that are single may stand there once."""

    name: str
    single: frozenset[int]
    repeated: frozenset[int] = frozenset()

    def read(self, data: Value) -> Fields:
        """The values of each field. Raises BadField, Truncated."""
        if isinstance(data, int):
            raise BadField(f"analysis graph: {self.name} is a number, expected a message")
        found: Fields = {}
        for number, value in _fields(data, self.name):
            if number not in self.single and number not in self.repeated:
                raise BadField(f"analysis graph: {self.name} has field {number}, which no graph of ours needs")
            if number in self.single and number in found:
                raise BadField(f"analysis graph: {self.name} has field {number} twice")
            found.setdefault(number, []).append(value)
        return found


MODEL = Message("the model", frozenset({1, 2, 3, 4, 5, 6}), frozenset({7, 8, 14}))  # no training, no functions
OPSET = Message("an operator set", frozenset({1, 2}))
GRAPH = Message("the graph", frozenset({2, 10}), frozenset({1, 5, 11, 12, 13, 16}))  # no sparse tensors
NODE = Message("a node", frozenset({3, 4, 6, 7}), frozenset({1, 2, 5, 9}))  # no overloads
ATTRIBUTE = Message("an attribute", frozenset({1, 2, 3, 4, 5, 13, 20}), frozenset({7, 8, 9}))  # no graphs
TENSOR = Message("a tensor", frozenset({2, 8, 9, 12, 14}), frozenset({1, 4, 5, 7, 10, 11, 16}))  # no external data
PORT = Message("an input or output", frozenset({1, 2, 3}), frozenset({4}))
TYPE = Message("a type", frozenset({1, 6}))
TENSOR_TYPE = Message("a tensor's type", frozenset({1, 2}))
SHAPE = Message("a shape", frozenset(), frozenset({1}))
SIDE = Message("a side", frozenset({1, 2, 3}))


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph: a tensor of an element's type (onnx.proto3's number) and a shape."""

    name: str
    element: int
    shape: Shape


@dataclass(frozen=True, slots=True)
class Expected:
    """What a model's geometry asks of its graph: the shape of its first input and of its output, float32 both."""

    takes: Shape
    gives: Shape


def check_graph(data: Buffer, expected: Expected | None = None) -> None:
    """Raises BadField, LimitExceeded, Truncated for a graph that holds more than operators and tensors of ours.

    expected: the geometry that its inputs and its output must have.
    """
    pieces = MODEL.read(memoryview(data))
    for opset in pieces.get(8, ()):
        _check_domain(_text(OPSET.read(opset), 1))
    graphs = [GRAPH.read(piece) for piece in pieces.get(7, ())]  # fields of two pieces are one graph's
    nodes = [node for graph in graphs for node in graph.get(1, ())]
    if len(nodes) > limits().graph_nodes:
        raise LimitExceeded(f"analysis graph: {len(nodes)} nodes, at most {limits().graph_nodes} allowed")
    tensors = [tensor for graph in graphs for tensor in graph.get(5, ())]
    tensors += [tensor for node in nodes for tensor in _tensors_of_node(node)]
    held, left = set(), limits().graph_numbers
    for tensor in tensors:
        fields = TENSOR.read(tensor)
        left -= _check_tensor(fields, left)
        held.add(_text(fields, 8))
    if expected is not None:
        inputs = [port for graph in graphs for port in map(_port, graph.get(11, ())) if port.name not in held]
        outputs = [_port(port) for graph in graphs for port in graph.get(12, ())]
        _check_ports(inputs, outputs, expected)


def _check_ports(inputs: Sequence[Port], outputs: Sequence[Port], expected: Expected) -> None:
    """A graph takes a picture, and a level where there is a second input; it gives latents."""
    if not 1 <= len(inputs) <= 2 or len(outputs) != 1:
        raise BadField(f"analysis graph: {len(inputs)} inputs and {len(outputs)} outputs, expected 1 or 2, and 1")
    for port, shape in ((inputs[0], expected.takes), (outputs[0], expected.gives)):
        if port.element != FLOAT or not _fits(port.shape, shape):
            wanted = "x".join("?" if side is None else str(side) for side in shape)
            raise BadField(f"analysis graph: {port.name!r} is of shape {port.shape}, expected float32 {wanted}")
    if len(inputs) == 2 and (inputs[1].element != INT64 or len(inputs[1].shape) != 1):
        raise BadField(f"analysis graph: the second input is of shape {inputs[1].shape}, expected int64, one axis")


def _fits(shape: Shape, expected: Shape) -> bool:
    same_axes = len(shape) == len(expected)
    return same_axes and all(want is None or have == want for have, want in zip(shape, expected, strict=True))


def _tensors_of_node(node: Value) -> Iterator[Value]:
    """The tensors in the attributes of a node, whose operator is checked."""
    fields = NODE.read(node)
    _check_domain(_text(fields, 7))
    operator = _text(fields, 4)
    if operator not in OPERATORS:
        raise BadField(f"analysis graph: operator {operator!r} is not one that a graph may have")
    for attribute in fields.get(5, ()):
        yield from ATTRIBUTE.read(attribute).get(5, ())


def _check_domain(domain: str) -> None:
    if domain not in DOMAINS:
        raise BadField(f"analysis graph: operators of the domain {domain!r}, expected ONNX's own")


def _check_tensor(fields: Fields, most: int) -> int:
    """How many numbers a tensor has: as many as its shape says, at most `most`, and all of them in the graph."""
    name = _text(fields, 8)
    if any(fields.get(14, ())):
        raise BadField(f"analysis graph: the data of tensor {name!r} lie in another file")
    sides = [side for value in fields.get(1, ()) for side in _numbers(value, name)]
    element = fields.get(2, [0])[0]
    if not isinstance(element, int) or element not in ELEMENT_BYTES:
        raise BadField(f"analysis graph: tensor {name!r} has elements of type {element!r}, expected numbers")
    if any(side < 0 for side in sides):
        raise BadField(f"analysis graph: tensor {name!r} is of shape {tuple(sides)}")
    count = math.prod(sides)
    if count > most:
        raise LimitExceeded(f"analysis graph: more than {limits().graph_numbers} numbers in its tensors")
    raw = fields.get(9)
    if raw is not None and (isinstance(raw[0], int) or len(raw[0]) != count * ELEMENT_BYTES[element]):
        raise BadField(
            f"analysis graph: tensor {name!r} does not have the bytes that its shape {tuple(sides)} asks for"
        )
    return count


def _port(value: Value) -> Port:
    fields = PORT.read(value)
    name, kind = _text(fields, 1), _first(fields, 2)
    tensor = TENSOR_TYPE.read(_first(TYPE.read(kind), 1))
    element = tensor.get(1, [0])[0]
    if not isinstance(element, int):
        raise BadField(f"analysis graph: {name!r} has elements of no type")
    return Port(name, element, tuple(_side(side) for side in SHAPE.read(_first(tensor, 2)).get(1, ())))


def _side(value: Value) -> int | None:
    number = SIDE.read(value).get(1, [None])[0]
    return _signed(number) if isinstance(number, int) else None


def _first(fields: Fields, number: int) -> Value:
    if number not in fields:
        raise BadField(f"analysis graph: field {number} of a type is missing")
    return fields[number][0]


def _text(fields: Fields, number: int) -> str:
    value = fields.get(number, [memoryview(b"")])[0]
    if isinstance(value, int):
        raise BadField(f"analysis graph: field {number} is a number, expected a name")
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise BadField(f"analysis graph: a name is not UTF-8 ({error.reason})") from error


def _numbers(value: Value, name: str) -> Iterator[int]:
    """Whole numbers that stand one by one, or packed in one field."""
    if isinstance(value, int):
        yield _signed(value)
        return
    place = 0
    while place < len(value):
        number, place = _varint(value, place, f"the shape of {name!r}")
        yield _signed(number)


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _fields(data: memoryview, what: str) -> Iterator[tuple[int, Value]]:
    """(number, value) of each field: an int of a varint, else the bytes."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place, what)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, place = _varint(data, place, what)
            yield number, value
            continue
        if kind == LENGTH:
            size, place = _varint(data, place, what)
        elif kind in (FIXED_32, FIXED_64):
            size = 4 if kind == FIXED_32 else 8
        else:
            raise BadField(f"analysis graph: {what} has field {number} of kind {kind}, which protobuf does not know")
        if size > len(data) - place:
            raise Truncated(f"analysis graph: {what} ends within field {number}")
        yield number, data[place : place + size]
        place += size


def _varint(data: memoryview, place: int, what: str) -> tuple[int, int]:
    """A number of 64 bits, and the place after it."""
    number = 0
    for k in range(MAX_VARINT_BYTES):
        if place + k >= len(data):
            raise Truncated(f"analysis graph: {what} ends within a number")
        byte = data[place + k]
        number |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            if number >> 64:
                break
            return number, place + k + 1
    raise BadField(f"analysis graph: {what} has a number of more than 64 bits")
