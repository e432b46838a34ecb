"""Conditional priors come back, and what no encoder writes is refused, at the edge of what is allowed."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vaecodec.bitstream.array_bytes import pack_array
from vaecodec.bitstream.container import unpack_container
from vaecodec.errors import (
    BadField,
    FormatError,
    LimitExceeded,
    NotExact,
)
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.operations import Dense
from vaecodec.modelfile import priors
from vaecodec.modelfile.model import pack_model, read_model, unpack_model

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
GROUPS = read_model(GOLDEN / "groups.vaem")
MINI = read_model(GOLDEN / "mini.vaem")


def ops_that_give(outputs: int, inputs: int, value: int = 0) -> tuple[Dense, ...]:
    return (Dense((0,), np.zeros((outputs, inputs), np.int8), np.full(outputs, value, np.int32)),)


def with_priors(**changes: Any) -> priors.ConditionalPriors:
    return replace(GROUPS.priors, **changes)


def network_of(number: int, **changes: Any) -> tuple[ExactNetwork, ...]:
    networks = list(GROUPS.priors.networks)
    networks[number] = replace(networks[number], **changes)
    return tuple(networks)


def last_network(value: int) -> tuple[ExactNetwork, ...]:
    last = GROUPS.priors.networks[-1]
    return network_of(-1, ops=ops_that_give(2 * GROUPS.priors.sizes[-1], len(last.input_low), value))


def test_conditional_priors_come_back() -> None:
    again = unpack_model(pack_model(GROUPS)).priors
    assert again.sizes == GROUPS.priors.sizes
    symbols = GROUPS.known_answer.symbols
    assert priors.conditional_answer(again.networks, symbols) == GROUPS.priors.known_answer.sha256_all
    made = priors.make_conditional_answer(again.networks, symbols)
    assert made.sha256_one == GROUPS.priors.known_answer.sha256_one == again.known_answer.sha256_one
    assert made.sha256_all == GROUPS.priors.known_answer.sha256_all
    places = [(place.start, place.stop) for place in again.places]
    assert places[0][0] == 0
    assert all(stop == start for (_, stop), (start, _) in pairwise(places))


def test_the_tables_of_a_group_are_the_rows_of_what_its_network_tells() -> None:
    found, own = GROUPS.priors, GROUPS.levels[0].tables
    size = found.sizes[1]
    rows = priors.rows_of(own, found.places[1])
    told = np.zeros((2, 2 * size), np.float32)
    first, second = found.tables(1, told, rows)
    assert (len(first.counts), len(rows.counts)) == (size, size)
    np.testing.assert_array_equal(first.counts, second.counts)
    np.testing.assert_array_equal(rows.counts, own.counts[found.places[1]])


@pytest.mark.parametrize(
    ("changes", "error", "what"),
    [
        (lambda: {"sizes": GROUPS.priors.sizes[:1]}, LimitExceeded, "1 groups, expected 2..64"),
        (lambda: {"sizes": (1,) * 65}, LimitExceeded, "65 groups"),
        (lambda: {"sizes": (0, *GROUPS.priors.sizes[1:])}, BadField, "positive whole numbers"),
        (lambda: {"sizes": (True, *GROUPS.priors.sizes[1:])}, BadField, "positive whole numbers"),
        (lambda: {"networks": GROUPS.priors.networks[:-1]}, BadField, "networks for"),
        (
            lambda: {"networks": network_of(0, input_low=GROUPS.priors.networks[0].input_low - 1)},
            BadField,
            "network 0 must take",
        ),
        (
            lambda: {"networks": network_of(0, input_high=GROUPS.priors.networks[0].input_high + 1)},
            BadField,
            "network 0 must take",
        ),
        (
            lambda: {"sizes": (*GROUPS.priors.sizes[:-1], GROUPS.priors.sizes[-1] + 1)},
            BadField,
            "expected",
        ),
        (lambda: {"networks": last_network(priors.MAX_MEAN + 1)}, BadField, "beyond"),
        (lambda: {"networks": last_network(-priors.MAX_MEAN - 1)}, BadField, "beyond"),
    ],
)
def test_conditional_priors_that_do_not_fit_are_refused(
    changes: Callable[[], dict[str, Any]], error: type[FormatError], what: str
) -> None:
    with pytest.raises(error, match=what):
        with_priors(**changes())


@pytest.mark.parametrize("value", [priors.MAX_MEAN, -priors.MAX_MEAN])
def test_the_largest_mean_is_allowed(value: int) -> None:
    assert len(with_priors(networks=last_network(value)).networks) == len(GROUPS.priors.networks)


def test_priors_belong_to_a_model_of_one_level_and_as_many_latents() -> None:
    latents = GROUPS.latents
    priors.check_fit(GROUPS.priors, GROUPS.levels, latents)
    for levels, inputs in ((GROUPS.levels * 2, latents), (GROUPS.levels, latents + 1), (MINI.levels[:1], latents)):
        with pytest.raises(BadField, match="conditional priors"):
            priors.check_fit(GROUPS.priors, levels, inputs)


def test_priors_of_a_file_are_checked_as_they_are_read() -> None:
    meta, sections = unpack_container((GOLDEN / "groups.vaem").read_bytes())
    found, symbols = meta["decode"]["priors"], GROUPS.known_answer.symbols
    whole = {name: bytes(section) for name, section in sections.items()}
    assert priors.unpack_priors(found, whole, symbols).sizes == GROUPS.priors.sizes
    shorter = {**whole, "decode/priors/low": pack_array(np.zeros(1, np.int8))}
    with pytest.raises(BadField, match="symbols, ranges of 1"):
        priors.unpack_priors({**found, "groups": [2, *found["groups"][1:]]}, shorter, symbols)
    for changes in ({"groups": [1.0, *found["groups"][1:]]}, {"groups": found["groups"][:-1]}, {"networks": []}):
        with pytest.raises(FormatError):
            priors.unpack_priors({**found, **changes}, whole, symbols)
    with pytest.raises((FormatError, NotExact)):
        priors.unpack_priors(found, {**whole, "decode/priors/low": whole["decode/priors/counts"]}, symbols)
