"""What the metrics share that are functions of the table of mutual informations: counting, and counting again.

codes, factors ──classes──> ──information_table──> score ──> Measurement, with a bootstrap over images
"""

from collections.abc import Callable

import numpy as np

from vaecodec.evaluation.disentanglement.bootstrap import Numbers, Rows, measurement, replicate, take_rows
from vaecodec.evaluation.disentanglement.information import (
    BINS,
    Codes,
    InformationTable,
    Ints,
    as_codes,
    classes,
    information_table,
)
from vaecodec.evaluation.disentanglement.records import Measurement

ROWS = 10_000
REPLICATES = 50


def measure_counted(
    metric: str,
    names: tuple[str, ...],
    score: Callable[[InformationTable], Numbers],
    codes: Codes,
    factors: Ints,
    *,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
    bins: int = BINS,
) -> Measurement:
    """A score of at most 10,000 images; floats in bins of equal width, symbols as they are."""
    rows = take_rows(len(codes), ROWS, rng)
    binned, chosen = classes(as_codes(codes[rows]), bins), factors[rows]

    def of(again: Rows) -> Numbers:
        return score(information_table(binned[again], chosen[again]))

    numbers = score(information_table(binned, chosen))
    counted: str | int = bins if codes.dtype.kind == "f" else "symbols"
    return measurement(
        metric, names, numbers, replicate(of, len(rows), replicates, rng), n=len(rows), settings=[("bins", counted)]
    )
