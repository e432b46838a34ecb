"""A lossless part as it lies in a model file: its object in the header, and its sections.

StoredLossless ──part: lossless_file.py, at the first use──> LosslessPart

Reading the part and proving its networks takes tens of milliseconds, and importing what that needs ten more, which
nobody should pay who decompresses a lossy stream.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vaecodec.errors import NotCanonical
from vaecodec.modelfile.summary import refusing_misshapen

if TYPE_CHECKING:
    from vaecodec.exact.stored_form import Sections
    from vaecodec.modelfile.lossless_part import LosslessPart

DECODE = "decode/lossless/"
ENCODE = "encode/lossless/"


@dataclass(frozen=True, eq=False)
class StoredLossless:
    """The header's object, and the sections decode/lossless/… and encode/lossless/… with their names."""

    described: dict[str, Any]
    sections: Mapping[str, bytes]

    @classmethod
    def of(cls, part: LosslessPart) -> StoredLossless:
        """A part as it will lie in a file."""
        from vaecodec.modelfile.lossless_form import pack_decode, pack_encode

        described, sections = pack_decode(part)
        return cls(described, {**sections, **pack_encode(part)})

    @property
    def decode_sections(self) -> Sections:
        """Those that decoding depends on."""
        return {name: data for name, data in self.sections.items() if name.startswith(DECODE)}

    @cached_property
    def part(self) -> LosslessPart:
        """The part, everything in it checked. Raises FormatError's children, NotExact."""
        from vaecodec.modelfile.lossless_form import pack_decode, unpack_lossless

        with refusing_misshapen():
            part = unpack_lossless(self.described, self.sections)
            described, sections = pack_decode(part)
            # As JSON: to Python, true is 1.
            if json.dumps(described, sort_keys=True) != json.dumps(self.described, sort_keys=True):
                raise NotCanonical("lossless part: is not described as an encoder describes it")
            if sections != self.decode_sections:
                raise NotCanonical("lossless part: sections are not what an encoder writes")
        return part
