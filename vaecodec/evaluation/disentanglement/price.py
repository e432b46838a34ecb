"""The price of entanglement in bytes: images' symbols coded latent by latent, and with a prior that knows the
latents before.

held-out images ──histograms────────> integer tables ──encode_symbols──> payload, bytes
                ──joint, a table for each image──────> the same coder ──> payload, bytes      each decoded again

Both priors are fitted to the same other images, so the difference is what entanglement costs a file of these
symbols, as far as this joint prior finds it (entanglement.py has the bounds). The joint prior is no format of ours:
the forest that makes its tables is not integer-exact, and as large as many files.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vaecodec.entropy.coder import decode_symbols, encode_symbols
from vaecodec.entropy.tables import CodingTables, counts_from_probabilities
from vaecodec.evaluation.disentanglement.autoregressive import HeldOut

IMAGES = 300


@dataclass(frozen=True, slots=True)
class Price:
    """Means over the images: payload bytes of each image coded alone, and −log2 P in bits."""

    images: int
    alone_bytes: float
    joint_bytes: float
    alone_bits: float
    joint_bits: float

    @property
    def saved_bytes(self) -> float:
        """An image's payload less, with the joint prior."""
        return self.alone_bytes - self.joint_bytes


def price(held: HeldOut, *, images: int = IMAGES) -> Price:
    """Of the first `images` test images; every payload is decoded again and must give its symbols."""
    labels = held.labels[:images].astype(np.int32)
    alone, joint = [], []
    tables = _tables(held.alone)
    for at, row in enumerate(labels):
        alone.append(_coded(row, tables))
        joint.append(_coded(row, _tables([table[at] for table in held.joint])))
    return Price(
        images=len(labels),
        alone_bytes=float(np.mean(alone)),
        joint_bytes=float(np.mean(joint)),
        alone_bits=float(held.alone_bits[:images].sum(axis=1).mean()),
        joint_bits=float(held.joint_bits[:images].sum(axis=1).mean()),
    )


def _tables(rows: Sequence[NDArray[np.float64]]) -> CodingTables:
    """Of one distribution for each latent, (K_j,); the columns beyond it and the escape get one count each."""
    padded = np.zeros((len(rows), max(map(len, rows)) + 1))
    for j, row in enumerate(rows):
        padded[j, : len(row)] = row
    d = len(rows)
    return CodingTables(np.zeros(d, np.int32), counts_from_probabilities(padded), np.ones(d, np.bool_))


def _coded(symbols: NDArray[np.int32], tables: CodingTables) -> int:
    payload = encode_symbols(symbols, tables)
    if (decode_symbols(payload, tables) != symbols).any():
        raise AssertionError("the coder must give back what it was given")
    return len(payload)
