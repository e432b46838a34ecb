"""Active latents: how many of them say anything at all.

Burda, Grosse, Salakhutdinov 2016, "Importance weighted autoencoders", section 5.2: a latent is active where its mean
varies over the images by more than 0.01 (of a prior with variance 1). A symbol is active where it holds more than
0.01 bit.
"""

import numpy as np

from vaecodec.evaluation.disentanglement.bootstrap import Numbers, Rows, measurement, replicate, take_rows
from vaecodec.evaluation.disentanglement.counted import REPLICATES, ROWS
from vaecodec.evaluation.disentanglement.information import Codes, classes, column_entropies
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Measurement

LEAST_VARIANCE = 0.01
LEAST_BITS = 0.01


def active_latents(codes: Codes, *, rng: np.random.Generator, replicates: int = REPLICATES) -> Measurement:
    """Of codes (n, d), in latents. Its rotations have all latents active where one is: it has no null."""
    rows = take_rows(len(codes), ROWS, rng)
    kept = codes[rows]

    def of(again: Rows) -> Numbers:
        return (float(active(kept[again]).sum()),)

    rule = f"variance > {LEAST_VARIANCE:g}" if codes.dtype.kind == "f" else f"entropy > {LEAST_BITS:g} bit"
    return measurement(
        "active",
        ("active latents",),
        of(np.arange(len(rows))),
        replicate(of, len(rows), replicates, rng),
        n=len(rows),
        settings=[("rule", rule), ("latents", codes.shape[1])],
        units=["latents"],
    )


def active(codes: Codes) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """(d,): whether each latent of codes (n, d) is."""
    if codes.dtype.kind == "f":
        return np.asarray(codes.var(axis=0) > LEAST_VARIANCE)
    return column_entropies(classes(codes)) > LEAST_BITS


METRIC = Metric(
    name="active",
    title="active latents",
    paper="Burda et al. 2016",
    score=lambda codes, truth, rng, replicates: active_latents(codes, rng=rng, replicates=replicates),
    replicates=REPLICATES,
    sees_axes=False,
)
