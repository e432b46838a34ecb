"""Conditional priors: groups of symbols, each with a table that a network finds from the groups before (section 15).

group 0 --tables--> symbols --network--> mean, scale --shape table--> tables of group 1 --> symbols …
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent import networks
from tests.independent.arrays import Sections
from tests.independent.canonical_json import exactly, whole
from tests.independent.known_answer import KnownAnswer, read_hashes
from tests.independent.networks import Network
from tests.independent.range_coder import RangeDecoder
from tests.independent.refusal import require
from tests.independent.tables import MAX_ALPHABET, MAX_ENTRIES, MAX_LATENTS, Tables, check_counts, starts_of

MAX_GROUPS = 64
MAX_MEAN = 1048576


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """Sizes of the groups, the level's tables of all latents, and what finds the tables of groups 1 and later."""

    sizes: tuple[int, ...]
    tables: Tables
    networks: tuple[Network, ...]
    shapes: tuple[tuple[list[int], ...], ...]
    answer: KnownAnswer

    @classmethod
    def read(cls, value: Any, sections: Sections, tables: Tables, rows: NDArray[np.int64]) -> "Priors":
        """From the "priors" object and its sections; rows: the known answer's inputs."""
        entries = exactly(value, {"groups", "networks", "known_answer"}, "priors")
        sizes = _read_sizes(entries["groups"], len(tables.offsets))
        listed = entries["networks"]
        require(isinstance(listed, list), "BadField", "priors: networks is no list")
        require(len(listed) == len(sizes) - 1, "BadField", f"priors: {len(listed)} networks")
        one, every = read_hashes(entries["known_answer"])
        counts = sections.array("decode/priors/counts", "<u4", 3)
        _check_shapes(counts, max(sizes[1:]))
        found = _read_networks(listed, sections, sizes)
        shapes = tuple(starts_of(of_scale, np.ones(len(of_scale))) for of_scale in counts)
        return cls(sizes, tables, found, shapes, KnownAnswer(one, every, rows))

    def check(self, *, several: bool) -> None:
        """Refuses arithmetic that gives other means and scales than the known answer's."""
        self.answer.require(self.results, several=several)

    def results(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """What every network gives for rows of symbols."""
        return [network.run(rows[:, : len(network.low)]) for network in self.networks]

    def decode(self, decoder: RangeDecoder) -> NDArray[np.int64]:
        """The symbols (n,) of one image."""
        first = self.sizes[0]
        symbols = Tables(self.tables.offsets[:first], self.tables.rows[:first]).decode(decoder)
        for network in self.networks:
            table = self._table(network.run(symbols[np.newaxis])[0], len(symbols))
            symbols = np.concatenate([symbols, table.decode(decoder)])
        return symbols

    def _table(self, result: NDArray[np.int64], first: int) -> Tables:
        """The table of the group that begins at latent `first`, of the means and scales."""
        means, scales = result.reshape(2, -1)
        fractions = len(self.shapes[0])
        columns = len(self.shapes[0][0]) - 1
        offsets, rows = [], []
        for latent, (mean, scale) in enumerate(zip(means.tolist(), scales.tolist(), strict=True), first):
            whole_part, fraction = divmod(mean, fractions)
            coded = self.tables.rows[latent] is not None
            row = self.shapes[min(max(scale, 0), len(self.shapes) - 1)][fraction]
            offsets.append(whole_part - (columns - 2) // 2 if coded else self.tables.offsets[latent])
            rows.append(row if coded else None)
        return Tables(tuple(offsets), tuple(rows))


def _read_sizes(groups: Any, latents: int) -> tuple[int, ...]:
    require(isinstance(groups, list), "BadField", "priors: groups is no list")
    require(2 <= len(groups) <= MAX_GROUPS, "LimitExceeded", f"{len(groups)} groups")
    sizes = tuple(whole(size, 1, MAX_LATENTS, "the size of a group") for size in groups)
    require(sum(sizes) == latents, "BadField", f"groups of {sum(sizes)} latents, not {latents}")
    return sizes


def _check_shapes(counts: NDArray[np.uint32], largest_group: int) -> None:
    scales, fractions, columns = counts.shape
    require(min(scales, fractions) >= 1 and columns >= 2, "BadField", "priors: counts' shape")
    require(columns <= MAX_ALPHABET, "LimitExceeded", f"priors: {columns} columns")
    require(counts.size <= MAX_ENTRIES, "LimitExceeded", f"priors: {counts.size} counts")
    require(largest_group * columns <= MAX_ENTRIES, "LimitExceeded", "priors: a group's table is too large")
    check_counts(counts)


def _read_networks(listed: list[Any], sections: Sections, sizes: tuple[int, ...]) -> tuple[Network, ...]:
    low, high = (sections.array(f"decode/priors/{field}", "<i4", 1) for field in ("low", "high"))
    require(len(low) == len(high) == sum(sizes[:-1]), "BadField", "priors: low and high have another length")
    found = []
    for number, operations in enumerate(listed):
        inputs = sum(sizes[: number + 1])
        network = networks.read(operations, sections, f"decode/priors/{number}/", low[:inputs], high[:inputs])
        result = network.result
        require(result.shape == (2 * sizes[number + 1],), "NotExact", f"priors: network {number} gives {result.shape}")
        within = (result.lo >= -MAX_MEAN).all() and (result.hi <= MAX_MEAN).all()
        require(bool(within), "NotExact", f"priors: network {number} leaves 2^20")
        found.append(network)
        networks.check_work(found)
    return tuple(found)
