"""A lossless part that no encoder writes is refused, at the edge of what is allowed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaecodec.bitstream.array_bytes import pack_array
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables
from vaecodec.errors import (
    BadField,
    FormatError,
    LimitExceeded,
    NotCanonical,
)
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense
from vaecodec.modelfile.lossless_form import read_part, store_part
from vaecodec.modelfile.lossless_part import MAX_BASES, MAX_LOGIT, MAX_WEIGHT_VALUE, MIN_VALUE_COUNT, ValueMixture
from vaecodec.modelfile.model import read_model

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
EXACT = read_model(GOLDEN / "exact.vaem")
PART = EXACT.lossless
TOTAL = 1 << 24


def mixture(**changes: Any) -> ValueMixture:
    return replace(PART.likelihood.values, **changes)


def value_counts(rows: int) -> np.ndarray:
    counts = np.full((rows, 255), MIN_VALUE_COUNT, np.int32)
    counts[:, 0] = TOTAL - 254 * MIN_VALUE_COUNT
    return counts


def changed(array: np.ndarray, place: tuple[int, ...], value: int) -> np.ndarray:
    found = array.copy()
    found[place] = value
    return found


VALUES = PART.likelihood.values


@pytest.mark.parametrize(
    ("changes", "error", "what"),
    [
        ({"counts": value_counts(MAX_BASES + 1)}, LimitExceeded, "basis distributions"),
        ({"counts": VALUES.counts[:, 1:].copy()}, BadField, "value counts of shape"),
        ({"counts": changed(VALUES.counts, (0, 0), MIN_VALUE_COUNT - 1)}, BadField, "must be at least"),
        ({"counts": changed(VALUES.counts, (0, 0), VALUES.counts[0, 0] + 1)}, BadField, "must sum to"),
        ({"weights": changed(VALUES.weights, (0,), 0)}, BadField, "weights must be"),
        ({"weights": changed(VALUES.weights, (0,), MAX_WEIGHT_VALUE + 1)}, BadField, "weights must be"),
    ],
)
def test_a_mixture_that_no_encoder_writes_is_refused(
    changes: dict[str, Any], error: type[FormatError], what: str
) -> None:
    with pytest.raises(error, match=what):
        mixture(**changes)


def test_the_ends_of_a_mixture_are_allowed() -> None:
    weights = changed(changed(VALUES.weights, (0,), 1), (1,), MAX_WEIGHT_VALUE)
    assert mixture(weights=weights).weights is weights
    assert len(mixture(counts=value_counts(MAX_BASES)).counts) == MAX_BASES


@pytest.mark.parametrize(
    ("counts", "error", "what"),
    [
        (np.ones(2 * MAX_LOGIT + 3, np.int32), LimitExceeded, "logit indices"),
        (PART.likelihood.zero_counts[1:].copy(), BadField, "2L"),
        (changed(PART.likelihood.zero_counts, (0,), 0), BadField, "zero counts must be"),
        (changed(PART.likelihood.zero_counts, (0,), TOTAL), BadField, "zero counts must be"),
    ],
)
def test_zero_counts_that_no_encoder_writes_are_refused(
    counts: np.ndarray, error: type[FormatError], what: str
) -> None:
    with pytest.raises(error, match=what):
        replace(PART.likelihood, zero_counts=counts)


def of_no_inputs(network: ExactNetwork) -> ExactNetwork:
    """A network that gives the same result whatever it is asked: its first layer has biases alone."""
    first = next(op for op in network.ops if isinstance(op, Dense))
    rest = tuple(op for op in network.ops if op is not first)
    none = np.empty(0, np.int32)
    return ExactNetwork(none, none, (replace(first, weight=first.weight[:, :0]), *rest))


NO_TABLES = CodingTables(np.empty(0, np.int32), np.empty((0, 2), np.uint32), np.empty(0, np.bool_))
NO_STEPS = Quantizer(np.empty(0, np.float32), np.empty(0, np.float32))


def test_a_part_of_no_latents_is_refused() -> None:
    likelihood = replace(PART.likelihood, map_network=of_no_inputs(PART.likelihood.map_network))
    with pytest.raises(BadField, match="no latents"):
        replace(PART, tables=NO_TABLES, quantizer=NO_STEPS, likelihood=likelihood)


def test_a_phase_beyond_the_tables_is_refused() -> None:
    shorter = PART.likelihood.zero_counts[1:-1].copy()
    values = mixture(weights=VALUES.weights[1:-1].copy())
    with pytest.raises(BadField, match="logit indices"):
        replace(PART.likelihood, zero_counts=shorter, values=values)


@pytest.mark.parametrize(
    ("change", "error", "what"),
    [
        (lambda d, s: ({**d, "bit_depth": 2}, s), BadField, "bit depth 2"),
        (lambda d, s: (d, {**s, "decode/lossless/more": b""}), NotCanonical, "not what an encoder writes"),
    ],
)
def test_a_stored_part_that_no_encoder_writes_is_refused(
    change: Callable[..., Any], error: type[FormatError], what: str
) -> None:
    stored = store_part(PART)
    described, sections = change(stored.described, stored.sections)
    with pytest.raises(error, match=what):
        read_part(replace(stored, described=described, sections=sections))


def test_weights_of_another_type_are_refused() -> None:
    stored = store_part(PART)
    sections = {**stored.sections, "decode/lossless/zero_counts": pack_array(np.ones(3, np.uint8))}
    with pytest.raises(BadField, match="zero_counts must be int32, found uint8"):
        read_part(replace(stored, sections=sections))
