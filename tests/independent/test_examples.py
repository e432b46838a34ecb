"""The page's own examples, byte by byte (sections 7, 14.7 and 15.4), and rules that no golden file shows."""

import numpy as np
import pytest

from tests.independent import packed_weights, streams, tables
from tests.independent.checks import crc24, crc32
from tests.independent.cursor import Cursor
from tests.independent.exact_images import decode_images
from tests.independent.known_answer import KnownAnswer
from tests.independent.lossless_part import LosslessPart
from tests.independent.mixture import Mixture
from tests.independent.networks import Network
from tests.independent.operations import Dense, Operation, Reshape, Value
from tests.independent.priors import Priors
from tests.independent.range_coder import RangeDecoder, shortest
from tests.independent.refusal import Refused
from tests.independent.tables import Tables, starts_of

FINGERPRINT = bytes(range(32))
NO_ANSWER = KnownAnswer("", "", np.zeros((64, 1), np.int64))


def _network(inputs: int, weight: list[list[int]], bias: list[int], shape: tuple[int, ...]) -> Network:
    dense = Dense((0,), weight=np.array(weight), bias=np.array(bias))
    operations: tuple[Operation, ...] = (dense,)
    if len(shape) == 3:
        operations = (dense, Reshape((1,), height=shape[0], width=shape[1]))
    limit = np.full(inputs, 2**20)
    result = Value(shape, np.full(shape[-1], -255), np.full(shape[-1], 255))
    return Network(-limit, limit, operations, result, products=inputs * len(bias), elements=len(operations) * len(bias))


def test_the_example_of_section_7_decodes_to_its_symbols() -> None:
    counts = [[8388608, 4194304, 4194303, 1], [4194304] * 4, [16777213, 1, 1, 1]]
    found = Tables.of(np.array([-1, 5, 0], np.int32), np.array(counts, np.uint32), np.array([1, 0, 1], np.uint8))
    data = bytes.fromhex("b9 03 00 01 ff ff ff ff fd ff b1 e2 d8 25")
    stream = streams.parse(data)
    assert (stream.coding, stream.size, crc24(FINGERPRINT + stream.checked)) == (3, None, stream.check)
    decoder = RangeDecoder(stream.payload)
    assert found.decode(decoder).tolist() == [2, 5, 4]
    decoder.end()


def test_the_example_of_section_14_7_decodes_to_its_image() -> None:
    values = np.full((2, 255), 2)
    values[0, 0] = values[1, 254] = 16776708
    logits = ([1, 0, 0], [-1, -1, 1], [0, 1, -1], [1, 0, 1])
    part = LosslessPart(
        Tables.of(np.zeros(1, np.int32), np.array([[8388608, 4194304, 4194304]], np.uint32), np.ones(1, np.uint8)),
        _network(1, [[0]], [0], (1, 1, 1)),
        tuple(_network(1 + phase, [[0] * (1 + phase)] * 3, logits[phase], (1, 1, 3)) for phase in range(4)),
        np.array([4194304, 8388608, 12582912]),
        Mixture(np.array([1, 2, 6]), values),
        NO_ANSWER,
    )
    stream = streams.parse(bytes.fromhex("b9 7f 00 01 a1 aa be d3"))
    (image,) = decode_images(part, RangeDecoder(stream.payload), [(2, 2)], [0])
    assert image.tolist() == [[0, 1], [0, 255]]
    pixels = crc32(image.tobytes()).to_bytes(4, "little")
    assert crc24(FINGERPRINT + stream.checked + pixels) == stream.check


def test_the_example_of_section_15_4_decodes_to_its_symbols() -> None:
    shapes = np.array(
        [
            [[1, 16777213, 1, 1]] * 4,
            [[4194304, 8388608, 4194303, 1]] * 3 + [[2097152, 8388608, 6291455, 1]],
        ],
        np.uint32,
    )
    first = Tables.of(
        np.array([-1, 0], np.int32), np.array([[8388608, 4194304, 4194304]] * 2, np.uint32), np.ones(2, np.uint8)
    )
    rows = tuple(starts_of(of_scale, np.ones(4, np.uint8)) for of_scale in shapes)
    priors = Priors((1, 1), first, (_network(1, [[3], [1]], [-2, 1], (4,)),), rows, NO_ANSWER)
    scale = ((2**64 - 1 >> 24) * 8388608) >> 24  # of the second column, whose start is 1
    payload = shortest(scale, scale * 16777213, 64)
    assert priors.decode(RangeDecoder(payload)).tolist() == [-1, -2]


def test_an_escape_value_of_33_zeros_is_read_and_of_34_refused() -> None:
    row = [[2**24 - 1, 1]]
    found = Tables.of(np.array([2**31 - 1], np.int32), np.array(row, np.uint32), np.ones(1, np.uint8))
    escaped = (2**64 - 1 >> 24) * (2**24 - 1)
    with pytest.raises(Refused, match="without an end"):
        found.decode(RangeDecoder((escaped + 1).to_bytes(8, "big")))
    assert tables.MAX_ESCAPE_BITS == 33


def test_a_uvarint_has_one_spelling() -> None:
    assert Cursor(b"\x80\x01").uvarint("") == 128
    assert Cursor(b"\x00").uvarint("") == 0
    for bad in (b"\x80\x00", b"\xff" * 9 + b"\x01", b"\x80"):
        with pytest.raises(Refused):
            Cursor(bad).uvarint("")


def test_the_example_of_section_16_gives_its_weights() -> None:
    data = bytes.fromhex(
        "01 00 01 77 02 02 02 00 00 00 02 00 00 00 00 00 00 3f 00 00 80 be"
        "0d 00 00 00 01 08 00 f7 ff 06 01 00 57 00 00 00 02"
    )
    np.testing.assert_array_equal(packed_weights.read(data)["w"], [[1.5, -0.5], [0, 75]])
