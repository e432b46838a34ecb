"""Models made of models: the levels of one with the lossless part of another, and a model that only decodes."""

from __future__ import annotations

from dataclasses import replace

from vaecodec.errors import ModelError
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.model import Model


def join_models(lossy: Model, lossless: Model, name: str) -> Model:
    """A model with the levels of `lossy` and the lossless part of `lossless`, and a fingerprint of its own.

    Its record is that of `lossy`; that of `lossless` stands in it under "lossless". Raises ModelError, and where the
    part is damaged FormatError's children.
    """
    if not lossy.levels or lossy.has_lossless:
        raise ModelError(f"{lossy.name}: expected a model of lossy levels alone")
    if lossless.lossless is None:  # which reads it: a damaged part is not joined
        raise ModelError(f"{lossless.name} has no lossless part")
    kinds = ["x".join(map(str, (model.height, model.width, model.channels))) for model in (lossy, lossless)]
    if kinds[0] != kinds[1]:
        raise ModelError(f"{lossy.name} is for images of {kinds[0]}, {lossless.name} for {kinds[1]}")
    records = {
        "levels_from": lossy.name,
        "lossless": {**lossless.about, "name": lossless.name, "family": lossless.family},
    }
    return replace(lossy, name=name, about={**lossy.about, **records}, stored_lossless=lossless.stored_lossless)


def strip_analysis(model: Model) -> Model:
    """The model with empty analysis graphs: the same fingerprint, so it decodes every file of the whole one.

    A superseded model is kept so, and a machine that only reads files needs no more.
    """
    stored = model.stored_lossless
    if stored is not None:
        stored = stored.with_analysis(Analysis(b""))
    return replace(model, analysis=Analysis(b""), stored_lossless=stored)
