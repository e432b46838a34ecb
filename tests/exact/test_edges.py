"""Every operation at the edge of what it may be: the last value that passes, the first that is refused, and the range.

Ranges are held to what the operation really gives, over all inputs of a small range.
"""

import itertools

import numpy as np
import pytest

from vaecodec.errors import LimitExceeded, NotExact
from vaecodec.exact.operations import (
    MAX_SHIFT,
    MAX_WEIGHT,
    Add,
    Dense,
    Lookup,
    Multiply,
    Patches,
    Rescale,
    Reshape,
    Shuffle,
    Slice,
)
from vaecodec.exact.ranges import EXACT_LIMIT, MAX_VALUE_ELEMENTS, Range, fitting, prove, whole

LAST = EXACT_LIMIT - 1


def value(low, high, shape=None):
    low, high = np.array(low, np.int64), np.array(high, np.int64)
    return Range((len(low),) if shape is None else shape, low, high)


def every_input(*ranges):
    """Float32 (n, channels) of each operand: all combinations of one channel's values, in all channels alike."""
    spans = [range(int(x.low[0]), int(x.high[0]) + 1) for x in ranges]
    combined = np.array(list(itertools.product(*spans)), np.float32)
    return [np.repeat(combined[:, [k]], len(x.low), axis=1) for k, x in enumerate(ranges)]


def dense(weight, bias):
    return Dense((0,), np.array(weight, np.float32), np.array(bias, np.float32))


def rescale(shift, low=0, high=255):
    return Rescale((0,), np.array(shift, np.uint8), low, high)


def lookup(table, low=0):
    return Lookup((0,), np.array(table, np.float32), low)


# --- 2^24, and the bounds of numbers


def test_what_reaches_2_to_the_24_is_refused_and_what_is_one_less_is_not():
    prove(np.array([0, LAST]), "it")
    prove(np.empty(0), "it")
    with pytest.raises(NotExact, match="channel 1 may reach 16777216"):
        prove(np.array([LAST, EXACT_LIMIT]), "it")


@pytest.mark.parametrize(
    ("array", "limit", "passes"),
    [([5, -5], 5, True), ([6], 5, False), ([-6], 5, False), ([0.5], 5, False), ([np.nan], 5, False)],
)
def test_whole_numbers_within_a_limit(array, limit, passes):
    if passes:
        np.testing.assert_array_equal(whole(np.array(array), limit, "it"), array)
        return
    with pytest.raises(NotExact, match=f"integers of at most {limit}"):
        whole(np.array(array), limit, "it")


def test_a_result_is_neither_empty_nor_too_large():
    side = 1 << 11
    assert fitting((side, side), "it") == (side, side)
    assert side * side == MAX_VALUE_ELEMENTS
    with pytest.raises(LimitExceeded):
        fitting((side, side + 1), "it")
    with pytest.raises(NotExact):
        fitting((0, 4), "it")


@pytest.mark.parametrize(("bias", "passes"), [(LAST - 10, True), (LAST - 9, False), (-(LAST - 10), True)])
def test_a_dense_sum_may_reach_one_below_the_limit(bias, passes):
    x = value([-5, 0], [5, 5])
    operation = dense([[1, -1]], [bias])
    if not passes:
        with pytest.raises(NotExact, match="dense: channel 0 may reach 16777216"):
            operation.bounds(x)
        return
    found = operation.bounds(x)
    assert (found.low.tolist(), found.high.tolist()) == ([bias - 10], [bias + 5])


@pytest.mark.parametrize(
    ("weight", "bias"),
    [
        ([[MAX_WEIGHT + 1]], [0]),
        ([[1]], [EXACT_LIMIT + 1]),
        ([[1, 1]], [0]),
        ([1], [0]),
        ([[1]], [0, 0]),
        ([[0.5]], [0]),
    ],
)
def test_a_dense_layer_that_does_not_fit_is_refused(weight, bias):
    with pytest.raises(NotExact, match="dense"):
        dense(weight, bias).bounds(value([0], [1]))


def test_the_largest_weight_is_allowed():
    found = dense([[MAX_WEIGHT], [-MAX_WEIGHT]], [0, 1]).bounds(value([-1], [2]))
    assert (found.low.tolist(), found.high.tolist()) == (
        [-MAX_WEIGHT, 1 - 2 * MAX_WEIGHT],
        [2 * MAX_WEIGHT, 1 + MAX_WEIGHT],
    )


# --- rescale


@pytest.mark.parametrize(
    ("operation", "what"),
    [
        (rescale([MAX_SHIFT + 1]), f"0..{MAX_SHIFT}"),
        (rescale([0, MAX_SHIFT + 1]), f"0..{MAX_SHIFT}"),
        (rescale([0], 0, EXACT_LIMIT), "reaches 2"),
        (rescale([0], -EXACT_LIMIT, 0), "reaches 2"),
        (rescale([0], 1, 0), "not valid"),
        (rescale([0, 0, 0]), "not valid"),
        (rescale([[0]]), "not valid"),
    ],
)
def test_a_rescale_that_is_not_valid_is_refused(operation, what):
    with pytest.raises(NotExact, match=what):
        operation.bounds(value([0, 0], [9, 9]))


def test_the_margins_of_a_rescale_are_allowed():
    x = value([-LAST, 0], [LAST, 7])
    for operation in (rescale([0], -LAST, LAST), rescale([0, MAX_SHIFT], -LAST, LAST), rescale([MAX_SHIFT], 0, 0)):
        found = operation.bounds(x)
        assert (found.low >= operation.low).all()
        assert (found.high <= operation.high).all()
    assert rescale([0], -LAST, LAST).bounds(x).high.tolist() == [LAST, 7]
    assert rescale([MAX_SHIFT], -9, 9).bounds(x).high.tolist() == [1, 0]


@pytest.mark.parametrize("shift", [0, 1, 2, 3])
@pytest.mark.parametrize(("low", "high"), [(-3, 2), (0, 255), (-9, 9), (2, 2)])
def test_a_rescales_range_is_what_it_gives(shift, low, high):
    x = value([-17], [23])
    operation = rescale([shift], low, high)
    (inputs,) = every_input(x)
    given, found = operation.run(inputs), operation.bounds(x)
    assert (given.min(), given.max()) == (found.low[0], found.high[0])


def test_halves_go_to_the_even_number():
    np.testing.assert_array_equal(
        rescale([1], -9, 9).run(np.float32([[-3], [-1], [1], [3], [5]])).ravel(), [-2, 0, 0, 2, 2]
    )


# --- sums, products, slices


@pytest.mark.parametrize("operation", [Add((0, 1)), Multiply((0, 1))])
@pytest.mark.parametrize(
    ("one", "other"), [((-3, 4), (-2, 5)), ((1, 3), (-5, -2)), ((-4, -1), (-3, -2)), ((2, 2), (0, 0))]
)
def test_the_range_of_a_sum_or_product_is_what_it_gives(operation, one, other):
    a, b = value([one[0]], [one[1]]), value([other[0]], [other[1]])
    given, found = operation.run(*every_input(a, b)), operation.bounds(a, b)
    assert (given.min(), given.max()) == (found.low[0], found.high[0])
    assert found.shape == (1,)


@pytest.mark.parametrize("sign", [1, -1])
def test_sums_and_products_stay_below_the_limit(sign):
    most = value([min(0, sign * LAST)], [max(0, sign * LAST)])
    zero, one = value([0], [0]), value([sign], [sign])
    assert Add((0, 1)).bounds(most, zero).shape == (1,)
    with pytest.raises(NotExact, match="add"):
        Add((0, 1)).bounds(most, one)
    assert Multiply((0, 1)).bounds(most, one).shape == (1,)
    with pytest.raises(NotExact, match="multiply"):
        Multiply((0, 1)).bounds(value([0], [1 << 12]), value([sign << 12], [sign << 12]))
    for operation in (Add((0, 1)), Multiply((0, 1))):
        with pytest.raises(NotExact, match="shapes"):
            operation.bounds(zero, value([0, 0], [0, 0]))


def test_a_slice_lies_within_the_channels():
    x = value([0, 1, 2], [3, 4, 5])
    found = Slice((0,), 1, 3).bounds(x)
    assert (found.shape, found.low.tolist(), found.high.tolist()) == ((2,), [1, 2], [4, 5])
    assert Slice((0,), 0, 3).bounds(x).shape == (3,)
    for start, stop in ((-1, 2), (1, 1), (2, 1), (0, 4)):
        with pytest.raises(NotExact, match="slice"):
            Slice((0,), start, stop).bounds(x)


# --- lookups


def test_a_lookup_takes_what_its_table_has_and_no_more():
    table = [[[5, -7], [6, 0], [-MAX_WEIGHT, MAX_WEIGHT]]]
    x = value([-1, 0], [1, 1])
    operation = lookup(table, low=-1)
    found = operation.bounds(x)
    assert (found.shape, found.low.tolist(), found.high.tolist()) == (
        (4,),
        [-MAX_WEIGHT, -7] * 2,
        [6, MAX_WEIGHT] * 2,
    )
    np.testing.assert_array_equal(operation.run(np.float32([[-1, 1]])), [[5, -7, -MAX_WEIGHT, MAX_WEIGHT]])
    for low, high in (([-2, 0], [1, 1]), ([-1, 0], [1, 2])):
        with pytest.raises(NotExact, match="leave the table"):
            operation.bounds(value(low, high))


def test_a_lookup_has_a_table_for_each_channel_or_one_for_all():
    own = lookup([[[1], [2]], [[3], [4]]])
    found = own.bounds(value([0, 0], [1, 1]))
    assert (found.low.tolist(), found.high.tolist()) == ([1, 3], [2, 4])
    np.testing.assert_array_equal(own.run(np.float32([[1, 0]])), [[2, 3]])
    np.testing.assert_array_equal(lookup([[[1], [2]]]).run(np.float32([[1, 0]])), [[2, 1]])
    for table in ([[[1]], [[1]], [[1]]], [[1]], np.empty((1, 0, 1)), [[[MAX_WEIGHT + 1]]], [[[0.5]]]):
        with pytest.raises(NotExact, match="lookup"):
            lookup(table).bounds(value([0, 0], [0, 0]))


# --- images


IMAGE = value([1, -2], [3, 4], (2, 3, 2))


@pytest.mark.parametrize(
    ("size", "pad", "shape"), [(1, 0, (2, 3, 2)), (2, 0, (1, 2, 8)), (2, 1, (3, 4, 8)), (3, 1, (2, 3, 18))]
)
def test_patches_are_the_windows_of_an_image_with_zeros_around(size, pad, shape):
    operation = Patches((0,), size, pad)
    x = np.arange(1, 13, dtype=np.float32).reshape(1, 2, 3, 2)
    given, found = operation.run(x), operation.bounds(IMAGE)
    assert found.shape == given.shape[1:] == shape
    padded = np.pad(x[0], ((pad, pad), (pad, pad), (0, 0)))
    for row, column in itertools.product(range(shape[0]), range(shape[1])):
        window = padded[row : row + size, column : column + size]
        np.testing.assert_array_equal(given[0, row, column], window.ravel())
    low, high = ([0, -2], [3, 4]) if pad else ([1, -2], [3, 4])
    assert (found.low.tolist(), found.high.tolist()) == (low * size**2, high * size**2)


@pytest.mark.parametrize(("size", "pad"), [(2, 2), (1, 1), (2, -1), (3, 0)])
def test_patches_that_do_not_fit_are_refused(size, pad):
    with pytest.raises(NotExact, match="patches"):
        Patches((0,), size, pad).bounds(IMAGE)


@pytest.mark.parametrize(("factor", "crop", "shape"), [(1, 0, (2, 3, 4)), (2, 0, (4, 6, 1)), (2, 1, (2, 4, 1))])
def test_shuffle_is_depth_to_space(factor, crop, shape):
    x = value([0, 1, 2, 3], [4, 5, 6, 9], (2, 3, 4))
    operation = Shuffle((0,), factor, crop)
    pixels = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    given, found = operation.run(pixels), operation.bounds(x)
    assert found.shape == given.shape[1:] == shape
    for row, column in itertools.product(range(shape[0]), range(shape[1])):
        y, x_ = row + crop, column + crop
        inside = (y % factor) * factor + x_ % factor
        expected = pixels[0, y // factor, x_ // factor].reshape(factor * factor, -1)[inside]
        np.testing.assert_array_equal(given[0, row, column], expected)
    if factor == 2:
        assert (found.low.tolist(), found.high.tolist()) == ([0], [9])


@pytest.mark.parametrize(("factor", "crop"), [(0, 0), (2, -1), (3, 0), (2, 2), (1, 1)])
def test_a_shuffle_that_does_not_fit_is_refused(factor, crop):
    with pytest.raises(NotExact, match="shuffle"):
        Shuffle((0,), factor, crop).bounds(value([0] * 4, [1] * 4, (2, 3, 4)))


def test_reshape_makes_an_image_of_a_row():
    x = value([0, 1, 2, 3, 4, 5, 6, 7], [9, 8, 7, 6, 5, 4, 3, 10])
    found = Reshape((0,), 2, 2).bounds(x)
    assert (found.shape, found.low.tolist(), found.high.tolist()) == ((2, 2, 2), [0, 1], [9, 10])
    for height, width in ((0, 2), (2, 0), (3, 1)):
        with pytest.raises(NotExact, match="reshape"):
            Reshape((0,), height, width).bounds(x)
    with pytest.raises(NotExact, match="reshape"):
        Reshape((0,), 2, 3).bounds(IMAGE)


def test_images_are_asked_for_where_an_operation_needs_one():
    for operation in (Patches((0,), 1, 0), Shuffle((0,), 1, 0)):
        with pytest.raises(NotExact, match="expected a value of shape"):
            operation.bounds(value([0], [1]))
