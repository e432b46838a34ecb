"""Every way in which a network is not provably exact, or too large, is refused when it is made."""

import numpy as np
import pytest

from vaecodec.bitstream.limits import MAX_LIVE_ELEMENTS, MAX_MACS, MAX_RESULT_ELEMENTS, MAX_VALUE_ELEMENTS
from vaecodec.errors import LimitExceeded, NotExact
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Add, Dense, Lookup, Patches, Rescale, Reshape, Shuffle


def whole(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


SHIFT, TABLE = np.uint8([0]), np.zeros((1, 8, 1), np.float32)
REFUSED = {
    "weight of another width": (Dense((0,), whole(2, 3), whole(2)),),
    "bias of another length": (Dense((0,), whole(2, 4), whole(3)),),
    "weight that is no integer": (Dense((0,), whole(2, 4) * 0.5, whole(2)),),
    "weight that is not a number": (Dense((0,), whole(2, 4) * np.nan, whole(2)),),
    "weight beyond int16": (Dense((0,), whole(2, 4) * 32768, whole(2)),),
    "infinite bias": (Dense((0,), whole(2, 4), whole(2) * np.inf),),
    "sum that reaches 2^24": (Dense((0,), whole(2, 4) * 32767, whole(2) * 2**23 * 1.999),),
    "shift of another length": (Rescale((0,), np.uint8([1, 2]), 0, 9),),
    "shift beyond 24": (Rescale((0,), np.uint8([25]), 0, 9),),
    "negative shift": (Rescale((0,), np.int8([-1]), 0, 9),),
    "empty range": (Rescale((0,), SHIFT, 9, 8),),
    "range that reaches 2^24": (Rescale((0,), SHIFT, -(2**24), 8),),
    "shapes that differ": (Reshape((0,), 2, 2), Add((0, 1))),
    "addition that reaches 2^24": tuple(Add((k, k)) for k in range(23)),
    "table of another dimension": (Lookup((0,), TABLE[0], -3),),
    "table of other channels": (Lookup((0,), np.repeat(TABLE, 3, axis=0), -3),),
    "table that ends below": (Lookup((0,), TABLE, -2),),
    "table that ends above": (Lookup((0,), TABLE, -5),),
    "entry beyond int16": (Lookup((0,), TABLE + 32768, -3),),
    "patches of a vector": (Patches((0,), 2, 1),),
    "patches larger than the image": (Reshape((0,), 2, 2), Patches((1,), 3, 0)),
    "patches of nothing but padding": (Reshape((0,), 2, 2), Patches((1,), 2, 2)),
    "shuffle of a vector": (Shuffle((0,), 2, 0),),
    "shuffle of too few channels": (Reshape((0,), 2, 2), Shuffle((1,), 2, 0)),
    "shuffle that crops everything": (Reshape((0,), 1, 1), Shuffle((1,), 2, 1)),
    "reshape that does not divide": (Reshape((0,), 3, 1),),
    "reshape of an image": (Reshape((0,), 2, 2), Reshape((1,), 2, 2)),
    "source ahead": (Add((0, 1)),),
    "negative source": (Add((0, -1)),),
    "result that is never used": (Rescale((0,), SHIFT, 0, 9), Add((0, 0))),
    "result that is never used, at the end": (Add((0, 0)), Add((1, 1)), Add((1, 1))),
    "input that is never used": (Dense((1,), whole(1, 1), whole(1)),),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_provably_exact_is_refused(name: str) -> None:
    with pytest.raises(NotExact):
        ExactNetwork(np.full(4, -3, np.int32), np.full(4, 3, np.int32), REFUSED[name])


@pytest.mark.parametrize(
    ("low", "high"), [([1], [0]), ([0], [0, 1]), ([[0]], [[1]]), ([0], [2**24]), ([-(2**24)], [0])]
)
def test_an_input_range_that_is_empty_or_too_wide_is_refused(low: list, high: list) -> None:
    with pytest.raises(NotExact, match="input"):
        ExactNetwork(np.array(low, np.int32), np.array(high, np.int32), ())


def test_a_value_that_is_too_large_exceeds_the_limit() -> None:
    high = np.full(1, 3, np.int32)
    ops = (Dense((0,), whole(MAX_VALUE_ELEMENTS + 1, 1), whole(MAX_VALUE_ELEMENTS + 1)),)
    with pytest.raises(LimitExceeded):
        ExactNetwork(-high, high, ops)
    with pytest.raises(LimitExceeded):
        ExactNetwork(-high, high, (Reshape((0,), 1, 1), Patches((1,), 2**20, 2**20 - 1)))
    with pytest.raises(LimitExceeded):
        ExactNetwork(-high, high, (Rescale((0,), SHIFT, -1, 1),) * 257)
    with pytest.raises(LimitExceeded):
        ExactNetwork(*(np.zeros(MAX_VALUE_ELEMENTS + 1, np.int32),) * 2, ())


def image(elements: int, side: int) -> tuple[Dense, Reshape]:
    """One input becomes an image of so many values: value 2."""
    return Dense((0,), whole(elements, 1), whole(elements)), Reshape((1,), side, side)


def test_the_values_that_are_needed_at_once_have_a_limit() -> None:
    """As many as fit, each kept to the end by an addition, and one more; and any number, one after the other."""
    one, most = np.ones(1, np.int32), 4

    def kept(count: int) -> list[Rescale | Add]:
        rescales = [Rescale((2 + k,), SHIFT, 0, 9) for k in range(count - 1)]
        return [*rescales, *(Add((1 + count - k, 1 + count + k)) for k in range(count))]

    largest = image(MAX_LIVE_ELEMENTS // most, 1024)
    ExactNetwork(-one, one, (*largest, *(Rescale((2 + k,), SHIFT, 0, 9) for k in range(3 * most))))
    ExactNetwork(-one, one, (*largest, *kept(most - 1)))
    with pytest.raises(LimitExceeded, match="at once"):
        ExactNetwork(-one, one, (*largest, *kept(most)))


def test_the_results_of_one_image_have_a_limit_together() -> None:
    one, elements = np.ones(1, np.int32), MAX_VALUE_ELEMENTS // 4
    start, most = image(elements, 1024), MAX_RESULT_ELEMENTS // elements - 2
    many = [Rescale((2 + k,), SHIFT, 0, 9) for k in range(most + 1)]
    assert ExactNetwork(-one, one, (*start, *many[:most])).work.elements == MAX_RESULT_ELEMENTS
    with pytest.raises(LimitExceeded, match="results of"):
        ExactNetwork(-one, one, (*start, *many))


def test_the_products_of_one_image_have_a_limit() -> None:
    one, side = np.ones(1, np.int32), 512
    matrix, none = whole(side, side), np.zeros(side, np.float32)
    layers = MAX_MACS // side**2 // 1024 // 2
    start = image(1024 * side, 32)

    def dense(count: int) -> list[Dense | Rescale]:
        pairs = [(Dense((2 + 2 * k,), matrix, none), Rescale((3 + 2 * k,), SHIFT, 0, 9)) for k in range(count)]
        return [op for pair in pairs for op in pair]

    ExactNetwork(-one, one, (*start, *dense(layers)))
    with pytest.raises(LimitExceeded, match="products"):
        ExactNetwork(-one, one, (*start, *dense(2 * layers)))
