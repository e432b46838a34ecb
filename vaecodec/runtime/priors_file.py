"""Conditional priors in a model file.

ConditionalPriors ──pack_priors──> the header's "priors" object, decode/priors/… sections
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vaecodec.bitstream.arrays import pack_array, unpack_array
from vaecodec.bitstream.reader import Buffer
from vaecodec.entropy.shape_table import ShapeTable
from vaecodec.errors import BadField
from vaecodec.runtime.conditional_priors import ConditionalPriors
from vaecodec.runtime.exact import ExactNetwork
from vaecodec.runtime.known_answer import checked_answer
from vaecodec.runtime.lossless_part import Int32
from vaecodec.runtime.network_file import Sections, pack_ops, unpack_integers, unpack_ops

PRIORS = "decode/priors/"


def pack_priors(priors: ConditionalPriors) -> tuple[dict[str, Any], Sections]:
    """The header's object, and the sections. The known answer's symbols are the synthesis' own."""
    last = priors.networks[-1]
    sections: Sections = {
        f"{PRIORS}counts": pack_array(priors.shapes.counts),
        f"{PRIORS}low": pack_array(last.input_low),
        f"{PRIORS}high": pack_array(last.input_high),
    }
    networks = []
    for number, network in enumerate(priors.networks):
        described, packed = pack_ops(network.ops, f"{PRIORS}{number}/")
        networks.append(described)
        sections |= packed
    answer = priors.known_answer
    found = {
        "groups": list(priors.sizes),
        "networks": networks,
        "known_answer": {"one": answer.sha256_one, "all": answer.sha256_all},
    }
    return found, sections


def unpack_priors(found: dict[str, Any], sections: Mapping[str, Buffer], symbols: Int32) -> ConditionalPriors:
    """The inverse; symbols: the known answer's. Raises FormatError's children, NotExact, KeyError, TypeError."""
    sizes = tuple(found["groups"])
    if any(type(size) is not int for size in sizes):
        raise BadField(f"conditional priors: groups of {sizes} symbols, expected whole numbers")
    low, high = (unpack_integers(sections[f"{PRIORS}{name}"], name).astype(np.int32) for name in ("low", "high"))
    networks = []
    for number, described in enumerate(found["networks"]):
        before = sum(sizes[: number + 1])
        if before > len(low):
            raise BadField(f"conditional priors: network {number} of {before} symbols, ranges of {len(low)}")
        ops = unpack_ops(described, sections, f"{PRIORS}{number}/")
        networks.append(ExactNetwork(low[:before], high[:before], ops))
    return ConditionalPriors(
        sizes=sizes,
        networks=tuple(networks),
        shapes=ShapeTable(unpack_array(sections[f"{PRIORS}counts"])),
        known_answer=checked_answer(symbols, found["known_answer"]),
    )
