"""The lossless part of a model: latents, a map network, four phase networks, and their tables (sections 14.1 and 14.5).

symbols --map--> map (h/2, w/2, c) --phase p, with the pixels of phases before--> logit indices (h/2, w/2, 1 + K)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent import networks
from tests.independent.arrays import Sections
from tests.independent.canonical_json import exactly, whole
from tests.independent.known_answer import KnownAnswer
from tests.independent.mixture import Mixture
from tests.independent.networks import Network
from tests.independent.quantizer import check_quantizer
from tests.independent.range_coder import TOTAL
from tests.independent.refusal import require
from tests.independent.tables import Tables

MAX_LOGIT = 4096
PHASES = ((0, 0), (1, 1), (0, 1), (1, 0))  # the place of each phase in a 2 x 2 square


@dataclass(frozen=True, slots=True, eq=False)
class LosslessPart:
    """All that exact images need; mixture is None with bit depth 1."""

    tables: Tables
    map: Network
    phases: tuple[Network, ...]
    zero_counts: NDArray[np.int64]
    mixture: Mixture | None
    answer: KnownAnswer

    @classmethod
    def read(cls, value: Any, sections: Sections, height: int, width: int) -> "LosslessPart":
        """From the "lossless" object and its sections."""
        entries = exactly(value, {"bit_depth", "map", "phases", "known_answer"}, "lossless")
        require(height % 2 == width % 2 == 0, "BadField", "lossless: an odd side")
        depth = whole(entries["bit_depth"], 1, 8, "bit_depth")
        require(depth in {1, 8}, "BadField", f"bit depth {depth}")
        prefix = "decode/lossless/"
        offsets, counts, coded = (
            sections.array(prefix + name, dtype, dimensions)
            for name, dtype, dimensions in (("offsets", "<i4", 1), ("counts", "<u4", 2), ("coded", "u1", 1))
        )
        tables = Tables.of(offsets, counts, coded)
        zero_counts = _read_zero_counts(sections)
        mixture = Mixture.read(sections, len(zero_counts)) if depth == 8 else None
        map_network = _read_map(entries["map"], sections, len(offsets), (height // 2, width // 2))
        logits = 1 if mixture is None else 1 + mixture.bases
        phases = _read_phases(entries["phases"], sections, map_network, logits, len(zero_counts) // 2)
        answer = KnownAnswer.read(entries["known_answer"], sections, prefix + "known_answer", len(offsets))
        _check_encode(sections, len(offsets))
        return cls(tables, map_network, phases, zero_counts, mixture, answer)

    def map_of(self, symbols: NDArray[np.int64]) -> NDArray[np.int64]:
        """The map of symbols (b, n), flattened: (b, h/2 · w/2 · c)."""
        return self.map.run(symbols).reshape(len(symbols), -1)

    def likeliest(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """The results of the phase networks while the most probable image is decoded."""
        known = self.map_of(rows)
        results = []
        for network in self.phases:
            indices = network.run(known)
            results.append(indices)
            values = np.full(indices.shape[:3], 255)
            if self.mixture is not None:
                values = 1 + self.mixture.counts(indices[..., 1:].reshape(-1, self.mixture.bases)).argmax(-1)
            zero = self.zero_counts[indices[..., 0] + len(self.zero_counts) // 2] >= TOTAL // 2
            pixels = np.where(zero, 0, values.reshape(zero.shape))
            known = np.concatenate([known, pixels.reshape(len(rows), -1)], axis=1)
        return results


def _read_zero_counts(sections: Sections) -> NDArray[np.int64]:
    counts = sections.array("decode/lossless/zero_counts", "<i4", 1).astype(np.int64)
    require(len(counts) % 2 == 1, "BadField", "zero_counts has no middle")
    require(len(counts) <= 2 * MAX_LOGIT + 1, "LimitExceeded", f"{len(counts)} zero counts")
    require(bool(((counts >= 1) & (counts < TOTAL)).all()), "BadField", "a zero count beyond 1 to 2^24 - 1")
    return counts


def _read_map(operations: Any, sections: Sections, latents: int, places: tuple[int, int]) -> Network:
    low, high = (sections.array(f"decode/lossless/map/{field}", "<i4", 1) for field in ("low", "high"))
    require(len(low) == len(high) == latents, "BadField", "lossless: the map network's inputs are not the latents")
    network = networks.read(operations, sections, "decode/lossless/map/", low, high)
    result = network.result
    require(len(result.shape) == 3 and result.shape[:2] == places, "BadField", f"a map of shape {result.shape}")
    require(bool((result.lo >= 0).all() and (result.hi <= 255).all()), "BadField", "a map that leaves 0 to 255")
    return network


def _read_phases(
    listed: Any, sections: Sections, map_network: Network, logits: int, largest: int
) -> tuple[Network, ...]:
    require(isinstance(listed, list) and len(listed) == 4, "BadField", "lossless: phases are not four")
    rows, columns, channels = map_network.result.shape
    found = []
    for phase, operations in enumerate(listed):
        inputs = rows * columns * (channels + phase)
        require(inputs <= networks.MAX_VALUE_ELEMENTS, "LimitExceeded", f"phase {phase}: {inputs} inputs")
        low, high = np.zeros(inputs, np.int64), np.full(inputs, 255)
        network = networks.read(operations, sections, f"decode/lossless/phase/{phase}/", low, high)
        result = network.result
        require(result.shape == (rows, columns, logits), "BadField", f"phase {phase} gives {result.shape}")
        within = (result.lo >= -largest).all() and (result.hi <= largest).all()
        require(bool(within), "BadField", f"phase {phase} gives logit indices beyond the tables")
        found.append(network)
        networks.check_work([map_network, *found])
    return tuple(found)


def _check_encode(sections: Sections, latents: int) -> None:
    """What only compressing needs must be there all the same."""
    sections.take("encode/lossless/analysis.onnx")
    check_quantizer(sections, "encode/lossless/", latents)
