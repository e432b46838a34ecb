"""A lossless part, stored and read.

LosslessPart ──store_part──> StoredLossless    the header's object "lossless" and sections decode/lossless/…: decoding
             <──read_part───                   sections encode/lossless/…: compressing alone
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.canonical_json import spell
from vaecodec.bitstream.reader import Buffer
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables
from vaecodec.errors import BadField, NotCanonical
from vaecodec.exact.known_answer import checked_answer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.stored_form import (
    Sections,
    narrow,
    pack_network,
    pack_ops,
    unpack_integers,
    unpack_network,
    unpack_ops,
)
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.lossless_part import PIXEL_HIGH, Int32, LosslessPart, PixelLikelihood, ValueMixture
from vaecodec.modelfile.lossless_sections import DECODE, ENCODE, StoredLossless
from vaecodec.modelfile.summary import refusing_misshapen

BIT_DEPTHS = (1, 8)


def store_part(part: LosslessPart) -> StoredLossless:
    """A part as it will lie in a file."""
    described, sections = _pack_decode(part)
    return StoredLossless(described, {**sections, **_pack_encode(part)})


def read_part(stored: StoredLossless) -> LosslessPart:
    """The part, everything in it checked. Raises FormatError's children, NotExact."""
    with refusing_misshapen():
        part = _unpack(stored.described, stored.sections)
        described, sections = _pack_decode(part)
        # As JSON: to Python, true is 1.
        if spell(described) != spell(stored.described):
            raise NotCanonical("lossless part: is not described as an encoder describes it")
        if sections != stored.decode_sections:
            raise NotCanonical("lossless part: sections are not what an encoder writes")
    return part


def _pack_decode(part: LosslessPart) -> tuple[dict[str, Any], Sections]:
    """The header's object, and the sections, of all that decoding depends on."""
    likelihood, answer = part.likelihood, part.known_answer
    arrays = {**part.tables.to_arrays(), "zero_counts": likelihood.zero_counts}
    if likelihood.values is not None:
        arrays |= {"weights": likelihood.values.weights, "value_counts": likelihood.values.counts}
    sections = {f"{DECODE}{name}": pack_array(array) for name, array in arrays.items()}
    sections[f"{DECODE}known_answer"] = pack_array(narrow(answer.symbols))
    described, packed = pack_network(likelihood.map_network, f"{DECODE}map/")
    sections |= packed
    phases = []
    for k, network in enumerate(likelihood.phases):
        ops, packed = pack_ops(network.ops, f"{DECODE}phase/{k}/")
        phases.append(ops)
        sections |= packed
    found = {
        "bit_depth": likelihood.bit_depth,
        "map": described,
        "phases": phases,
        "known_answer": {"one": answer.sha256_one, "all": answer.sha256_all},
    }
    return found, sections


def _pack_encode(part: LosslessPart) -> Sections:
    """The sections of what only compressing needs."""
    return {
        f"{ENCODE}center": pack_array(part.quantizer.center),
        f"{ENCODE}step": pack_array(part.quantizer.step),
        **part.analysis.sections(ENCODE),
    }


def _unpack(found: dict[str, Any], sections: Mapping[str, bytes]) -> LosslessPart:
    """The inverse of both. Raises FormatError's children, NotExact; KeyError, TypeError for what is missing."""
    tables = CodingTables.from_arrays(
        {name: unpack_array(sections[f"{DECODE}{name}"]) for name in ("offsets", "counts", "coded")}
    )
    if found["bit_depth"] not in BIT_DEPTHS:
        raise BadField(f"lossless part: bit depth {found['bit_depth']!r}, expected 1 or 8")
    values = None
    if found["bit_depth"] != 1:
        values = ValueMixture(_int32(sections, "weights"), _int32(sections, "value_counts"))
    map_network = unpack_network(found["map"], sections, f"{DECODE}map/")
    phases: list[ExactNetwork] = []
    work = map_network.work
    for k, ops in enumerate(found["phases"]):
        phases.append(_unpack_phase(k, ops, map_network, sections))
        work = (work + phases[-1].work).check("lossless part")
    answer = found["known_answer"]
    return LosslessPart(
        analysis=Analysis.stored(sections, ENCODE),
        quantizer=Quantizer(*(unpack_array(sections[f"{ENCODE}{name}"]) for name in ("center", "step"))),
        tables=tables,
        likelihood=PixelLikelihood(map_network, tuple(phases), _int32(sections, "zero_counts"), values),
        known_answer=checked_answer(
            unpack_integers(sections[f"{DECODE}known_answer"], "known answer").astype(np.int32), answer
        ),
    )


def _unpack_phase(
    position: int, ops: list[dict[str, Any]], map_network: ExactNetwork, sections: Mapping[str, Buffer]
) -> ExactNetwork:
    """A phase's inputs are the map and the planes before it, all of 0..255: their range is not stored."""
    height, width, channels = map_network.result.shape
    high = np.full(height * width * (channels + position), PIXEL_HIGH, np.int32)
    return ExactNetwork(np.zeros_like(high), high, unpack_ops(ops, sections, f"{DECODE}phase/{position}/"))


def _int32(sections: Mapping[str, Buffer], name: str) -> Int32:
    array = unpack_array(sections[f"{DECODE}{name}"])
    if array.dtype != np.int32:
        raise BadField(f"lossless part: {name} must be int32, found {array.dtype}")
    return array
