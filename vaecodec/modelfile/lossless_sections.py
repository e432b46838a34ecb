"""A lossless part as it lies in a model file: its object in the header, and its sections, which nothing has read yet.

A lossy stream is decompressed without reading the part, which takes tens of milliseconds, and without importing what
reads it (lossless_form.py), which takes ten more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vaecodec.modelfile.analysis_weights import Analysis

DECODE = "decode/lossless/"  # what the names of the sections begin with that decoding depends on
ENCODE = "encode/lossless/"  # and of those that only compressing needs


@dataclass(frozen=True, eq=False)
class StoredLossless:
    """The header's object, and the sections decode/lossless/… and encode/lossless/… with their names."""

    described: dict[str, Any]
    sections: Mapping[str, bytes]

    @property
    def decode_sections(self) -> dict[str, bytes]:
        """Those that decoding depends on."""
        return {name: data for name, data in self.sections.items() if name.startswith(DECODE)}

    @property
    def analysis(self) -> Analysis:
        """The graph and its weights, as they are stored."""
        return Analysis.stored(self.sections, ENCODE)

    def with_analysis(self, analysis: Analysis) -> StoredLossless:
        """The part with another graph: decoding does not depend on it."""
        kept = {name: data for name, data in self.sections.items() if name not in self.analysis.sections(ENCODE)}
        return replace(self, sections={**kept, **analysis.sections(ENCODE)})
