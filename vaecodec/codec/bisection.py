"""Bisection of many images at once: each has its own numbers to try, and those of one number are tried together.

passes(images, number) ──> per image   below: passes      low ──────middle────── high      above: fails
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

MAX_EVALUATIONS = 10  # trials of an image
Numbers = npt.NDArray[np.int64]
Test = Callable[[Numbers, int], npt.NDArray[np.bool_]]


def finest(count: int, numbers: int, passes: Test) -> Numbers:
    """For each of `count` images the highest of 0..numbers-1 at which it passes, -1 where there is none.

    passes(places, k) tests the images of these places at k. Passing need not be quite monotonic: what is found has
    been seen to pass; and evaluations that bisection leaves over try the next higher numbers.
    """
    low = np.full(count, -1)  # the highest number that is known to pass; -1: none
    high = np.full(count, numbers)  # a number above it that is known, or assumed, to fail
    rounds = 0
    while rounds < MAX_EVALUATIONS and (high - low > 1).any():
        middle = (low + high) // 2
        _test(np.flatnonzero(high - low > 1), middle, low, high, passes)
        rounds += 1
    beyond = low + 1
    while rounds < MAX_EVALUATIONS:
        beyond = beyond + 1
        places = np.flatnonzero(beyond < numbers)
        if not len(places):
            break
        _test(places, beyond, low, high, passes)
        rounds += 1
    return low


def _test(places: Numbers, at: Numbers, low: Numbers, high: Numbers, passes: Test) -> None:
    """Test images `places`, each at its own number, one batch for each number; raise `low` or lower `high`."""
    for number in np.unique(at[places]):
        group = places[at[places] == number]
        good = passes(group, int(number))
        low[group[good]] = np.maximum(low[group[good]], number)
        high[group[~good]] = np.minimum(high[group[~good]], number)
