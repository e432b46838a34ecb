"""Levels in a model file: what is packed comes back, takes less, and is refused where it does not fit."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.independent.arrays import Sections
from tests.independent.model_file import _read_tables
from tests.independent.refusal import Refused
from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.limits import MAX_ALPHABET, MAX_LEVEL
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import tables_from_histogram
from vaecodec.errors import BadField, LimitExceeded
from vaecodec.modelfile.levels import MOST_PLAIN_LEVELS, Level, pack_quantizers, pack_tables, unpack_levels

LATENTS = 12


def levels_of(count: int, *, step: float = 1.0) -> list[Level]:
    rng = np.random.default_rng(5)
    found = []
    for k in range(count):
        symbols = np.rint(rng.normal(0, 0.2 + 0.1 * k, (500, LATENTS)) * np.linspace(1, 3, LATENTS)).astype(np.int32)
        collapsed = np.arange(LATENTS) % 4 == 1
        tables = tables_from_histogram(symbols, collapsed=collapsed)
        found.append(
            Level(
                float(count - k), tables, Quantizer(np.zeros(LATENTS, np.float32), np.full(LATENTS, step, np.float32))
            )
        )
    return found


@pytest.mark.parametrize("count", [1, MOST_PLAIN_LEVELS, MOST_PLAIN_LEVELS + 1, 40])
@pytest.mark.parametrize("step", [1.0, 2.5])
def test_unpacking_inverts_packing(count: int, step: float) -> None:
    levels = levels_of(count, step=step)
    back = unpack_levels([level.beta for level in levels], pack_tables(levels) | pack_quantizers(levels))
    for level, again in zip(levels, back, strict=True):
        coded = level.tables.coded
        np.testing.assert_array_equal(again.tables.offsets, level.tables.offsets)
        np.testing.assert_array_equal(again.tables.coded, coded)
        np.testing.assert_array_equal(again.tables.counts[coded], level.tables.counts[coded])
        np.testing.assert_array_equal(again.quantizer.step, level.quantizer.step)
        assert again.beta == level.beta


def test_packing_again_gives_the_same_bytes_and_fewer_than_plain() -> None:
    levels = levels_of(40)
    packed = pack_tables(levels)
    assert pack_tables(unpack_levels([level.beta for level in levels], packed)) == packed
    plain = sum(len(pack_array(a)) for level in levels for a in level.tables.to_arrays().values())
    assert sum(map(len, packed.values())) < plain


def test_steps_of_one_are_left_out_where_there_are_many_levels() -> None:
    assert pack_quantizers(levels_of(40)) == {}
    assert len(pack_quantizers(levels_of(40, step=2.0))) == 80
    assert len(pack_quantizers(levels_of(3))) == 6


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("windows", lambda a: a + np.uint16(1)),
        ("windows", lambda a: a[1:]),
        ("windows", lambda a: a[:, :1]),
        ("windows", lambda a: a.astype(np.int32)),
        ("counts", lambda a: a[1:]),
        ("counts", lambda a: a + np.uint32(1)),
        ("alphabet", lambda a: np.array([1], np.uint16)),
        ("alphabet", lambda a: np.array([9, 9], np.uint16)),
        ("coded", lambda a: a + np.uint8(1)),
    ],
)
def test_packed_tables_that_do_not_fit_are_refused(name: str, change: Callable[[Any], Any]) -> None:
    levels = levels_of(20)
    sections = pack_tables(levels)
    key = f"decode/level/3/{name}"
    sections[key] = pack_array(change(unpack_array(sections[key])))
    with pytest.raises(BadField):
        unpack_levels([level.beta for level in levels], sections)


def test_tables_of_many_levels_are_refused_before_they_take_a_lot_of_memory() -> None:
    """112 levels of 1,024 collapsed latents and the widest alphabet: 6 MB of file, 1.9 GB of tables."""
    n = 1024
    tables = {
        "offsets": np.zeros(n, np.int32),
        "coded": np.zeros(n, np.uint8),
        "alphabet": np.array([MAX_ALPHABET], np.uint16),
        "windows": np.empty((0, 2), np.uint16),
        "counts": np.empty(0, np.uint32),
    }
    levels = MAX_LEVEL + 1
    sections = {f"decode/level/{k}/{name}": pack_array(a) for k in range(levels) for name, a in tables.items()}
    tracemalloc.start()
    try:
        with pytest.raises(LimitExceeded, match="entries of 5 levels"):
            unpack_levels([1.0] * levels, sections)
        assert tracemalloc.get_traced_memory()[1] < 200e6
    finally:
        tracemalloc.stop()
    held = Sections({key: bytes(value) for key, value in sections.items()})
    with pytest.raises(Refused, match="of 5 levels"):
        _read_tables(held, levels)
