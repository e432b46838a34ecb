"""Graphs written field by field: what protobuf's own writer never gives, and a hostile one may."""

import pytest

from vaecodec.errors import BadField, LimitExceeded, Truncated
from vaecodec.modelfile.onnx_graph import Expected, check_graph

GRAPH, OPSETS = 7, 8  # of a model
INITIALIZER, INPUT, OUTPUT = 5, 11, 12  # of a graph


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(dims: bytes, raw: bytes = bytes(24), element: int = 1) -> bytes:
    """A model whose graph holds one tensor."""
    fields = dims + number(2, element) + block(8, b"w") + block(9, raw)
    return block(GRAPH, block(INITIALIZER, fields))


def port(field: int, kind: bytes) -> bytes:
    return block(field, block(1, b"x") + block(2, kind))


def tensor_type(sides: tuple[int, ...], element: bytes = number(1, 1)) -> bytes:
    shape = b"".join(block(1, number(1, side)) for side in sides)
    return block(1, element + block(2, shape))


def taking(kind: bytes) -> bytes:
    """A model whose graph takes x of this type, and gives latents (2, 3)."""
    return block(GRAPH, port(INPUT, kind) + port(OUTPUT, tensor_type((2, 3))))


EXPECTED = Expected((2, 3), (2, 3))


def test_a_shape_may_stand_number_by_number_or_packed() -> None:
    check_graph(tensor(number(1, 2) + number(1, 3)))
    check_graph(tensor(block(1, varint(2) + varint(3))))
    check_graph(tensor(block(1, varint(2)) + number(1, 3)))
    with pytest.raises(BadField, match="does not have the bytes"):
        check_graph(tensor(block(1, varint(2) + varint(4))))
    with pytest.raises(Truncated, match="the shape of 'w' ends within a number"):
        check_graph(tensor(block(1, varint(2) + b"\x83")))


def test_a_side_below_zero_is_refused() -> None:
    with pytest.raises(BadField, match=r"is of shape \(-1,\)"):
        check_graph(tensor(number(1, (1 << 64) - 1)))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (number(GRAPH, 1), "the graph is a number, expected a message"),
        (block(GRAPH, number(INITIALIZER, 1)), "a tensor is a number, expected a message"),
        (block(GRAPH, block(INITIALIZER, number(8, 1))), "expected a name"),
        (block(OPSETS, block(1, b"\xff")), "a name is not UTF-8"),
        (block(OPSETS, block(1, b"own")), "operators of the domain 'own'"),
        (tensor(b"", element=99), "elements of type 99"),
        (block(GRAPH, block(INITIALIZER, block(2, b"f"))), "has elements of type"),
        (b"\x0b", "field 1 of kind 3, which protobuf does not know"),
        (number(9, 1), "has field 9, which no graph of ours needs"),
        (number(1, 1) + number(1, 1), "has field 1 twice"),
        (b"\x08" + b"\x80" * 9 + b"\x02", "a number of more than 64 bits"),
        (b"\x08" + b"\x80" * 10 + b"\x00", "a number of more than 64 bits"),
    ],
)
def test_what_no_writer_of_ours_writes_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(BadField, match=what):
        check_graph(data)


def test_a_number_of_64_bits_is_the_largest() -> None:
    check_graph(b"\x08" + b"\xff" * 9 + b"\x01")


@pytest.mark.parametrize(
    "data", [b"\x08", b"\x08\x80", block(2, b"abc")[:-1], b"\x0d\0\0\0", b"\x09" + bytes(7), b"\x80"]
)
def test_a_model_that_is_cut_is_truncated(data: bytes) -> None:
    with pytest.raises(Truncated):
        check_graph(data)


def test_numbers_of_fixed_width_are_stepped_over_where_they_may_stand() -> None:
    for fixed in (b"\x0d" + bytes(4), b"\x09" + bytes(8)):
        check_graph(fixed)


def test_the_geometry_of_a_graph_is_the_models() -> None:
    check_graph(taking(tensor_type((2, 3))), EXPECTED)
    check_graph(taking(tensor_type((7, 3))), Expected((None, 3), (2, 3)))
    unnamed = block(1, number(1, 1) + block(2, block(1, block(2, b"batch")) + block(1, number(1, 3))))
    check_graph(taking(unnamed), Expected((None, 3), (2, 3)))
    for kind, what in (
        (tensor_type((2, 4)), "expected float32 2x3"),
        (tensor_type((2, 3, 1)), "expected float32 2x3"),
        (tensor_type((2, 3), number(1, 7)), "expected float32 2x3"),
        (tensor_type((2, 3), block(1, b"f")), "has elements of no type"),
        (block(1, number(1, 1)), "field 2 of a type is missing"),
        (number(6, 1), "field 1 of a type is missing"),
    ):
        with pytest.raises(BadField, match=what):
            check_graph(taking(kind), EXPECTED)


def test_inputs_and_outputs_are_counted() -> None:
    one, two = port(INPUT, tensor_type((2, 3))), port(OUTPUT, tensor_type((2, 3)))
    level = port(INPUT, tensor_type((2,), number(1, 7)))
    check_graph(block(GRAPH, one + level + two), EXPECTED)
    for fields in (two, one, one + level + level + two, one + two + two):
        with pytest.raises(BadField, match="inputs and"):
            check_graph(block(GRAPH, fields), EXPECTED)
    for second in (tensor_type((2,)), tensor_type((2, 1), number(1, 7))):
        with pytest.raises(BadField, match="the second input"):
            check_graph(block(GRAPH, one + port(INPUT, second) + two), EXPECTED)


def test_a_shape_of_more_numbers_than_a_model_may_have_is_refused_before_they_are_looked_for() -> None:
    with pytest.raises(LimitExceeded, match="numbers in its tensors"):
        check_graph(tensor(number(1, 1 << 62)))
