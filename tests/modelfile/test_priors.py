"""Conditional priors: what they refuse when they are made."""

import numpy as np
import pytest

from tests.independent.priors import _check_shapes
from tests.independent.refusal import Refused
from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.errors import LimitExceeded
from vaecodec.exact.known_answer import KnownAnswer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense
from vaecodec.modelfile.priors import ConditionalPriors

COLUMNS = 4096


def priors_of(group: int) -> ConditionalPriors:
    """One symbol, and then a group of so many, of the widest alphabet that there is."""
    counts = np.ones((1, 1, COLUMNS), np.uint32)
    counts[..., 0] += np.uint32(2**24 - COLUMNS)
    dense = Dense(sources=(0,), weight=np.zeros((2 * group, 1), np.int8), bias=np.zeros(2 * group, np.int8))
    network = ExactNetwork(np.zeros(1, np.int32), np.ones(1, np.int32), (dense,))
    answer = KnownAnswer(np.zeros((64, group + 1), np.int32), "0" * 64, "0" * 64)
    return ConditionalPriors((1, group), (network,), ShapeTable(counts), answer)


def test_the_largest_tables_of_a_group_are_made() -> None:
    priors = priors_of(1024)
    assert priors.sizes == (1, 1024)
    _check_shapes(priors.shapes.counts, 1024)


def test_tables_of_a_group_that_are_too_large_exceed_the_limit() -> None:
    with pytest.raises(LimitExceeded, match="1025 x 4096"):
        priors_of(1025)
    with pytest.raises(Refused, match="too large"):
        _check_shapes(priors_of(1).shapes.counts, 1025)
