"""Samples from the prior: symbols drawn by the stored integer tables, group by group, and decoded.

tables (n, a) ──a column for each latent──> symbols (count, n) ──synthesis──> pictures
"""

import numpy as np
from numpy.typing import NDArray

from vaecodec.entropy.decode_order import follow
from vaecodec.entropy.tables import CodingTables
from vaecodec.evaluation.figures.sheet import Row, Sheet, Tile
from vaecodec.evaluation.figures.subject import Sources, Subject

ROWS, COLUMNS = 4, 10


def samples(sources: Sources, *, seed: int = 0) -> Sheet:
    """Forty of the first subject."""
    subject = sources.need_subjects()[0]
    symbols = drawn(subject, ROWS * COLUMNS, rng=np.random.default_rng(seed))
    bits = subject.codec.lossy.information_bits(symbols, subject.level)
    pictures = subject.decoded(symbols)
    tiles = [Tile(picture, float(cost), "bits", 1) for picture, cost in zip(pictures, bits, strict=True)]
    rows = tuple(Row("", tuple(tiles[at : at + COLUMNS])) for at in range(0, len(tiles), COLUMNS))
    note = f"Drawn by the tables that code its files (seed {seed}), with the bits of each draw."
    return Sheet(f"Samples from the prior: {subject.name}", rows, note)


def drawn(subject: Subject, count: int, *, rng: np.random.Generator) -> NDArray[np.int32]:
    """Symbols (count, n); an escape, which the tables leave room for, is drawn again."""
    tables = subject.codec.model.levels[subject.level].tables
    groups = subject.codec.lossy.groups
    if groups is None:
        return _drawn([tables] * count, rng)
    parts: list[NDArray[np.int32]] = []

    def answer(number: int, priors: object) -> NDArray[np.int32]:
        parts.append(_drawn(list(priors), rng))  # type: ignore[call-overload]
        return parts[-1]

    follow(groups.order(count), answer)
    symbols = np.empty((count, tables.n), np.int32)
    for place, part in zip(groups.priors.places, parts, strict=True):
        symbols[:, place] = part
    return symbols


def _drawn(tables: list[CodingTables], rng: np.random.Generator) -> NDArray[np.int32]:
    """A row of symbols for each of the tables."""
    rows = []
    for table in tables:
        ends = np.cumsum(table.counts[:, :-1], axis=1, dtype=np.int64)  # without the escape's column
        places = rng.integers(0, ends[:, -1])
        columns = (places[:, None] >= ends).sum(axis=1)
        rows.append(table.fill_collapsed((table.offsets + columns).astype(np.int32)))
    return np.stack(rows)
