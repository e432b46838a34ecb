"""Conditional priors: what they refuse when they are made."""

import numpy as np
import pytest

from tests.independent.priors import _check_shapes
from tests.independent.refusal import Refused
from vaecodec.bitstream.array_bytes import pack_array
from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.errors import LimitExceeded
from vaecodec.exact.known_answer import KnownAnswer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense, Rescale, Reshape
from vaecodec.exact.stored_form import Sections, pack_ops
from vaecodec.modelfile.priors import ConditionalPriors, unpack_priors

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


def test_networks_that_cost_too_much_together_exceed_the_limit() -> None:
    """Each would be within it: 9 · 2^20 elements of results take 0.5 s to prove, and 63 such networks may be there."""
    wide, rescales = 1 << 20, [Rescale((2 + k,), np.uint8([0]), 0, 9) for k in range(7)]
    sections: Sections = {}
    networks = []
    for number in range(3):
        dense = Dense((0,), np.ones((wide, number + 1), np.float32), np.ones(wide, np.float32))
        described, packed = pack_ops((dense, Reshape((1,), 1024, 1024), *rescales), f"decode/priors/{number}/")
        networks.append(described)
        sections |= packed
    for name, value in (("low", 0), ("high", 1)):
        sections[f"decode/priors/{name}"] = pack_array(np.full(3, value, np.int8))
    found = {"groups": [1] * 4, "networks": networks}
    with pytest.raises(LimitExceeded, match=f"conditional priors: results of {18 * wide} "):
        unpack_priors(found, sections, np.zeros((64, 4), np.int32))
