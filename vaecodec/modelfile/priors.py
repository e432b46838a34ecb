"""Conditional priors: of a model whose symbols are coded in groups, each group by what the groups before it were.

symbols of groups 0 … g-1 ──network g──> a mean and a scale for each symbol of group g ──shape table──> counts

Group 0 is coded with the level's tables. Every number is an integer; docs/format.md, "Conditional priors", is the
specification. In a model file they are the header's object "priors" and the sections decode/priors/….
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.limits import MAX_ENTRIES, MAX_GROUPS
from vaecodec.bitstream.reader import Buffer
from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.entropy.tables import CodingTables, Int32
from vaecodec.errors import BadField, LimitExceeded
from vaecodec.exact.known_answer import KnownAnswer, checked_answer
from vaecodec.exact.network import Engine, ExactNetwork, Work, by_numpy
from vaecodec.exact.stored_form import Sections, pack_ops, unpack_integers, unpack_ops

if TYPE_CHECKING:
    from vaecodec.modelfile.levels import Level

PRIORS = "decode/priors/"
MAX_MEAN = 1 << 20  # of what a network gives; means beyond are no symbols that anyone codes


@dataclass(frozen=True, eq=False)
class ConditionalPriors:
    """sizes: symbols of each group, in order. networks: of the groups from the second on.

    Network g takes the symbols of groups 0 … g - 1, each within the same range for all networks, and gives (2 · size,):
    the means, in units of 1/F, then the scales. known_answer: rows of symbols, and the hashes of conditional_answer().
    Raises BadField, LimitExceeded.
    """

    sizes: tuple[int, ...]
    networks: tuple[ExactNetwork, ...]
    shapes: ShapeTable
    known_answer: KnownAnswer

    def __post_init__(self) -> None:
        if not 2 <= len(self.sizes) <= MAX_GROUPS:
            raise LimitExceeded(f"conditional priors: {len(self.sizes)} groups, expected 2..{MAX_GROUPS}")
        if any(type(size) is not int or size < 1 for size in self.sizes):
            raise BadField(f"conditional priors: groups of {self.sizes} symbols, expected positive whole numbers")
        if len(self.networks) != len(self.sizes) - 1:
            raise BadField(f"conditional priors: {len(self.networks)} networks for {len(self.sizes)} groups")
        low, high = self.networks[-1].input_low, self.networks[-1].input_high
        columns = self.shapes.counts.shape[2]
        for number, network in enumerate(self.networks):
            before, size = sum(self.sizes[: number + 1]), self.sizes[number + 1]
            if not (
                np.array_equal(network.input_low, low[:before]) and np.array_equal(network.input_high, high[:before])
            ):
                raise BadField(f"conditional priors: network {number} must take the {before} symbols before")
            found = network.result
            if found.shape != (2 * size,):
                raise BadField(f"conditional priors: network {number} gives {found.shape}, expected {(2 * size,)}")
            if size * columns > MAX_ENTRIES:
                raise LimitExceeded(f"conditional priors: {size} x {columns} entries, at most {MAX_ENTRIES} allowed")
            if max(-int(found.low.min()), int(found.high.max())) > MAX_MEAN:
                raise BadField(f"conditional priors: network {number} gives values beyond ±{MAX_MEAN}")

    @property
    def places(self) -> list[slice]:
        """Where the symbols of each group stand."""
        ends = list(itertools.accumulate(self.sizes))
        return [slice(end - size, end) for end, size in zip(ends, self.sizes, strict=True)]

    def tables(self, group: int, told: npt.NDArray[np.float32], own: CodingTables) -> list[CodingTables]:
        """The tables of a group (not the first) of each image, from what its network told (b, 2 · size)."""
        numbers, size = told.astype(np.int32), self.sizes[group]
        return [self.shapes.tables(row[:size], row[size:], own) for row in numbers]


def rows_of(tables: CodingTables, place: slice) -> CodingTables:
    """The tables of some of the latents."""
    return CodingTables(tables.offsets[place], tables.counts[place], tables.coded[place])


def conditional_answer(networks: tuple[ExactNetwork, ...], symbols: Int32, engine: Engine = by_numpy) -> str:
    """SHA-256 of what the networks give for rows of all symbols (b, n), int32 little-endian, one after the other."""
    digest = hashlib.sha256()
    for network in networks:
        told = engine(network, np.ascontiguousarray(symbols[:, : len(network.input_low)]))
        digest.update(told.astype("<i4").tobytes())
    return digest.hexdigest()


def make_conditional_answer(networks: tuple[ExactNetwork, ...], symbols: Int32) -> KnownAnswer:
    """The known answer for 64 rows of symbols."""
    return KnownAnswer(symbols, conditional_answer(networks, symbols[:1]), conditional_answer(networks, symbols))


def check_fit(priors: ConditionalPriors, levels: tuple[Level, ...], inputs: int) -> None:
    """What priors and the rest of a model must agree on; inputs: of the synthesis. Raises BadField."""
    if len(levels) != 1:
        raise BadField(f"conditional priors: in a model of {len(levels)} levels, expected 1")
    latents = levels[0].tables.n
    if sum(priors.sizes) != latents or inputs != latents:
        raise BadField(f"conditional priors: groups of {sum(priors.sizes)} symbols, a model of {latents}")


def pack_priors(priors: ConditionalPriors) -> tuple[dict[str, Any], Sections]:
    """The header's object, and the sections. The known answer's symbols are the synthesis' own."""
    last = priors.networks[-1]
    sections: Sections = {
        f"{PRIORS}counts": pack_array(priors.shapes.counts),
        f"{PRIORS}low": pack_array(last.input_low),
        f"{PRIORS}high": pack_array(last.input_high),
    }
    networks = []
    for number, network in enumerate(priors.networks):
        described, packed = pack_ops(network.ops, f"{PRIORS}{number}/")
        networks.append(described)
        sections |= packed
    answer = priors.known_answer
    found = {
        "groups": list(priors.sizes),
        "networks": networks,
        "known_answer": {"one": answer.sha256_one, "all": answer.sha256_all},
    }
    return found, sections


def unpack_priors(found: dict[str, Any], sections: Mapping[str, Buffer], symbols: Int32) -> ConditionalPriors:
    """The inverse; symbols: the known answer's. Raises FormatError's children, NotExact, KeyError, TypeError."""
    sizes = tuple(found["groups"])
    if any(type(size) is not int for size in sizes):
        raise BadField(f"conditional priors: groups of {sizes} symbols, expected whole numbers")
    low, high = (unpack_integers(sections[f"{PRIORS}{name}"], name).astype(np.int32) for name in ("low", "high"))
    networks: list[ExactNetwork] = []
    work = Work()
    for number, described in enumerate(found["networks"]):
        before = sum(sizes[: number + 1])
        if before > len(low):
            raise BadField(f"conditional priors: network {number} of {before} symbols, ranges of {len(low)}")
        ops = unpack_ops(described, sections, f"{PRIORS}{number}/")
        networks.append(ExactNetwork(low[:before], high[:before], ops))
        work = (work + networks[-1].work).check("conditional priors")
    return ConditionalPriors(
        sizes=sizes,
        networks=tuple(networks),
        shapes=ShapeTable(unpack_array(sections[f"{PRIORS}counts"])),
        known_answer=checked_answer(symbols, found["known_answer"]),
    )
