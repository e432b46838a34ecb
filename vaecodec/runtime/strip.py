"""A model stripped to its decoder: what a superseded model, or a machine that only reads files, needs."""

from __future__ import annotations

from dataclasses import replace

from vaecodec.runtime.model_file import Model
from vaecodec.runtime.stored_lossless import ENCODE


def strip_analysis(model: Model) -> Model:
    """The model with empty analysis graphs: the same fingerprint, so it decodes every file of the whole one."""
    stored = model.stored_lossless
    if stored is not None:
        stored = replace(stored, sections={**stored.sections, f"{ENCODE}analysis.onnx": b""})
    return replace(model, analysis=b"", stored_lossless=stored)
