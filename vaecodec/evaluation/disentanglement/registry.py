"""The metrics there are. A new one is a file with its METRIC, and its line here."""

from vaecodec.evaluation.disentanglement import (
    active,
    beta_vae,
    dci,
    dci_es,
    factor_vae,
    infomec,
    med,
    mig,
    modularity,
    sap,
)
from vaecodec.evaluation.disentanglement.metric import Metric

METRICS: tuple[Metric, ...] = (
    mig.METRIC,
    dci.CLASSIFIER,
    dci.REGRESSOR,
    sap.METRIC,
    factor_vae.METRIC,
    beta_vae.METRIC,
    infomec.METRIC,
    dci_es.METRIC,
    med.METRIC,
    modularity.METRIC,
    active.METRIC,
)


def find_metric(name: str) -> Metric:
    """The metric of that name. Raises KeyError, which lists the names there are."""
    for metric in METRICS:
        if metric.name == name:
            return metric
    raise KeyError(f"no metric {name!r}: there are {', '.join(metric.name for metric in METRICS)}")
