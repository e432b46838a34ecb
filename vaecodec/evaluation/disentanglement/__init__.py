"""Disentanglement: what single latents say of an image's factors, and what entanglement costs in bits. No torch.

truth.py, dsprites.py    the factors of a set of images, and images that are uniform over them
registry.py, metric.py   METRICS: each metric's record, its rotation null, its ceiling          -> records.py
mig, dci, dci_es, sap, infomec, med, modularity, factor_vae, beta_vae, active    one file a metric
information.py, counted.py, bootstrap.py                                         what the metrics share
rotation.py, verdict.py  ten rotations of a code; above, below, not decided
entanglement.py          ΣH − H of symbols, bounded from both sides: autoregressive.py, collisions.py; neighbours.py
price.py                 the same in real bytes: symbols under a factorised prior and under a joint one
minibatch.py             the total correlation that β-TCVAE trains with, and where it fails
pairs.py                 pairs that share one factor (the paper's section 3.6)

Needs the `report` extra (scikit-learn, scipy), which is imported where it is used.
"""

from vaecodec.evaluation.disentanglement.dsprites import FactoredImages, drawn_images, real_images
from vaecodec.evaluation.disentanglement.entanglement import Entanglement, entanglement
from vaecodec.evaluation.disentanglement.metric import Metric
from vaecodec.evaluation.disentanglement.records import Interval, Measurement, Value
from vaecodec.evaluation.disentanglement.registry import find_metric
from vaecodec.evaluation.disentanglement.rotation import Null, rotate
from vaecodec.evaluation.disentanglement.truth import GroundTruth
from vaecodec.evaluation.disentanglement.verdict import Verdict, against_null, between

__all__ = [
    "Entanglement",
    "FactoredImages",
    "GroundTruth",
    "Interval",
    "Measurement",
    "Metric",
    "Null",
    "Value",
    "Verdict",
    "against_null",
    "between",
    "drawn_images",
    "entanglement",
    "find_metric",
    "real_images",
    "rotate",
]
