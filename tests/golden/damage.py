"""Damaged files by name: <ErrorName>-<what>. What stands after the error says what is wrong.

Damage behind a checksum is sealed again with a right one, so that the check which the name means is what finds it.
"""

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.canonical_json import spell
from vaecodec.bitstream.container import pack_container, unpack_container
from vaecodec.bitstream.stream import pack, unpack
from vaecodec.codec.codec import Codec
from vaecodec.entropy.coder import make_encoder

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452")
HEADER_START = 46
Meta = dict[str, Any]
Sections = dict[str, bytes]


def flipped(data: bytes, offset: int) -> bytes:
    """One bit of one byte."""
    return data[:offset] + bytes([data[offset] ^ 0x10]) + data[offset + 1 :]


def damaged_streams(good: bytes, codec: Codec) -> dict[str, bytes]:
    """Made of a sound stream of the model."""
    payload, own = unpack(good).payload, codec.fingerprint

    def sealed(payload: bytes, coding: int = 0, size: tuple[int, int] | None = None) -> bytes:
        return pack(coding, own, size, payload)

    other = bytes([own[0] ^ 1]) + own[1:]
    same_short = own[:31] + bytes([own[31] ^ 1])
    return {
        "Truncated-empty": b"",
        "Truncated-one-byte": good[:1],
        "Truncated-no-check": good[:6],
        "Truncated-size": bytes([good[0], 0x80]) + good[2:5],
        "BadMagic-png": PNG,
        "BadMagic-text": b"P5 28 28 255\n",
        "BadMagic-zeros": bytes(20),
        "UnsupportedVersion-0": bytes([0xB8]) + good[1:],
        "UnsupportedVersion-2": bytes([0xBA]) + good[1:],
        "BadField-lossless": bytes([good[0], 127]) + good[2:],
        "BadField-reserved-112": bytes([good[0], 112]) + good[2:],
        "BadField-level-1": sealed(payload, coding=1),
        "BadField-height-29": sealed(payload, size=(29, 28)),
        "BadField-width-256": sealed(payload, size=(28, 256)),
        "NotCanonical-size-of-the-model": sealed(payload, size=codec.geometry),
        "ModelMismatch-another-fingerprint": pack(0, other, None, payload),
        "BadChecksum-fingerprint-with-the-same-start": pack(0, same_short, None, payload),
        "BadChecksum-flipped-payload": flipped(good, 5),
        "BadChecksum-flipped-check": flipped(good, len(good) - 1),
        "BadChecksum-cut": good[:-1],
        "BadChecksum-added": good + b"\0",
        "BadChecksum-twice": good + good,
        "NotCanonical-payload-lengthened": sealed(payload + b"\1"),
        "NotCanonical-payload-zero-byte": sealed(payload + b"\0"),
        "NotCanonical-payload-another-of-the-interval": sealed(payload[:-1] + bytes([payload[-1], 1])),
        "NotCanonical-payload-all-ones": sealed(b"\xff" * 16),
        "BadField-escape-without-end": sealed(escaped(codec, [0] * 40)),
        "BadField-escape-beyond-int32": sealed(escaped(codec, [0] * 33 + [1] * 34)),
    }


def escaped(codec: Codec, bits: list[int]) -> bytes:
    """A payload whose first latent is an escape, followed by these bits."""
    tables = codec.model.levels[0].tables
    columns = np.zeros(tables.n, np.int32)
    columns[0] = tables.alphabet - 1
    encoder = make_encoder()
    encoder.encode_columns(columns, tables)
    encoder.encode_bits(bits)
    return encoder.finish()


def damaged_models(good: bytes) -> dict[str, bytes]:
    """Made of the sound mini.vaem: first its bytes, then its fields with everything sealed again."""
    length = int.from_bytes(good[10:14], "little")
    header = good[HEADER_START : HEADER_START + length]
    padding = HEADER_START + length
    spaced = json.dumps(json.loads(header), sort_keys=True, ensure_ascii=False).encode()
    found = {
        "Truncated-model-empty": b"",
        "Truncated-model-header": good[:200],
        "Truncated-model-last-section": good[:-1],
        "TrailingData-model-one-byte": good + b"\0",
        "BadMagic-model-png": PNG,
        "BadMagic-model-stream": b"\xb9" + bytes(20),
        "UnsupportedVersion-model-2": good[:8] + b"\2\0" + good[10:],
        "LimitExceeded-model-header-length": good[:10] + b"\xff\xff\xff\xff" + good[14:],
        "BadChecksum-model-header": flipped(good, HEADER_START + 30),
        "BadChecksum-model-section": flipped(good, len(good) - 1),
        "NotCanonical-model-padding": good[:padding] + b"\1" + good[padding + 1 :],
        "NotCanonical-model-header-with-spaces": good[:10]
        + len(spaced).to_bytes(4, "little")
        + hashlib.sha256(spaced).digest()
        + spaced,
    }
    return found | {name: changed(good, change) for name, change in CHANGES.items()}


def changed(good: bytes, change: Callable[[Meta, Sections], None]) -> bytes:
    """A model file with its fields changed and everything sealed again."""
    meta, views = unpack_container(good)
    meta, sections = copy.deepcopy(meta), {key: bytes(view) for key, view in views.items()}
    change(meta, sections)
    return sealed(meta, sections)


def sealed(meta: Meta, sections: Sections) -> bytes:
    """As pack_container(), of a meta too that it refuses to write."""
    data = pack_container({}, sections)
    end = HEADER_START + int.from_bytes(data[10:14], "little")
    header = spell({**json.loads(data[HEADER_START:end]), "meta": meta})
    head = data[:10] + len(header).to_bytes(4, "little") + hashlib.sha256(header).digest() + header
    return head + bytes(-len(head) % 64) + data[end + -end % 64 :]


def nested(depth: int) -> list[Any]:
    """Lists in lists, so many of them."""
    return [nested(depth - 1)] if depth > 1 else []


def op(position: int, **values: Any) -> Callable[[Meta, Sections], None]:
    """Set fields of an operation's description."""
    return lambda meta, sections: meta["decode"]["synthesis"][position].update(values)


def array(section: str, change: Callable[[Any], Any]) -> Callable[[Meta, Sections], None]:
    """Replace the array of a section."""

    def apply(meta: Meta, sections: Sections) -> None:
        sections[section] = pack_array(np.asarray(change(unpack_array(sections[section]))))

    return apply


def without(section: str) -> Callable[[Meta, Sections], None]:
    return lambda meta, sections: sections.pop(section) and None


def more_operations(meta: Meta, sections: Sections) -> None:
    meta["decode"]["synthesis"] += [{"op": "add", "sources": [15, 15]}] * 300


def no_latents(meta: Meta, sections: Sections) -> None:
    """A synthesis that takes the level alone, and gives the same image at every level."""
    dense = {"op": "dense", "sources": [0]}
    meta["decode"]["synthesis"] = [dense, {"op": "reshape", "sources": [1], "height": 4, "width": 6}]
    for name in [name for name in sections if name.startswith("decode/") and name != "decode/known_answer"]:
        empty = unpack_array(sections.pop(name))[:0]
        if "/level/" in name:
            sections[name] = pack_array(empty)
    for name in [name for name in sections if name.startswith("encode/level/")]:
        sections[name] = pack_array(unpack_array(sections[name])[:0])
    for field, values in (("low", [0]), ("high", [1])):
        sections[f"{SYNTHESIS}/{field}"] = pack_array(np.array(values, np.int32))
    sections[f"{SYNTHESIS}/0/weight"] = pack_array(np.zeros((24, 1), np.int8))
    sections[f"{SYNTHESIS}/0/bias"] = pack_array(np.arange(24, dtype=np.int8))
    sections["decode/known_answer"] = pack_array(np.zeros((64, 1), np.int8))


SYNTHESIS = "decode/synthesis"
CHANGES: dict[str, Callable[[Meta, Sections], None]] = {
    "BadField-model-no-name": lambda meta, sections: meta["about"].pop("name") and None,
    "BadField-model-no-counts": without("decode/level/0/counts"),
    "BadField-model-no-analysis": without("encode/analysis.onnx"),
    "BadField-model-height-0": lambda meta, sections: meta["decode"].update(height=0),
    "BadField-model-height-is-text": lambda meta, sections: meta["decode"].update(height="4"),
    "BadField-model-width-7": lambda meta, sections: meta["decode"].update(width=7),
    "BadField-model-no-levels": lambda meta, sections: meta["encode"].update(betas=[]),
    "NotCanonical-model-levels-3": lambda meta, sections: meta["decode"].update(levels=3),
    "NotCanonical-model-unknown-key": lambda meta, sections: meta["decode"].update(colour=1),
    "NotCanonical-model-unknown-section": lambda meta, sections: sections.update({"decode/more": b"x"}),
    "NotCanonical-model-wide-weights": array(f"{SYNTHESIS}/6/weight", lambda w: w.astype(np.int32)),
    "BadField-model-unknown-operation": op(0, op="convolution"),
    "BadField-model-source-is-text": op(0, sources=["0"]),
    "BadField-model-two-sources-for-dense": op(4, sources=[4, 4]),
    "BadField-model-huge-number": op(9, height=2**80),
    "BadField-model-default-level-0": lambda meta, sections: meta["encode"].update(default_level=0),
    "BadField-model-default-level-2": lambda meta, sections: meta["encode"].update(default_level=2),
    "BadField-model-beta-10-400": lambda meta, sections: meta["encode"].update(betas=[1, 10**400]),
    "BadField-model-beta-2-63": lambda meta, sections: meta["encode"].update(betas=[1, 2**63]),
    "BadField-model-no-latents": no_latents,
    "BadField-model-integer-2-63": lambda meta, sections: meta["about"].update(more=2**63),
    "BadField-model-integer-minus-2-63": lambda meta, sections: meta["about"].update(more=-(2**63)),
    "LimitExceeded-model-nested-65-deep": lambda meta, sections: meta["about"].update(more=nested(62)),
    "BadField-model-real-weights": array(f"{SYNTHESIS}/6/weight", lambda w: w.astype(np.float32)),
    "BadField-model-counts-sum": array("decode/level/0/counts", lambda c: c + np.uint32(1)),
    "BadField-model-coded-2": array("decode/level/0/coded", lambda c: c + np.uint8(2)),
    "BadField-model-step-0": array("encode/level/0/step", lambda s: s * np.float32(0)),
    "BadField-model-step-nan": array("encode/level/0/step", lambda s: s * np.float32("nan")),
    "BadField-model-known-answer-of-63": array("decode/known_answer", lambda rows: rows[:63]),
    "BadField-model-array-dtype": lambda meta, sections: sections.update({f"{SYNTHESIS}/low": b"\x63\1\3\0\0\0"}),
    "BadField-model-pixels-beyond-255": array(f"{SYNTHESIS}/14/table", lambda t: t.astype(np.int16) + 1),
    "NotExact-model-sum-reaches-2-24": array(f"{SYNTHESIS}/6/weight", lambda w: w.astype(np.int16) * 200),
    "NotExact-model-bias-2-24": array(f"{SYNTHESIS}/6/bias", lambda b: b.astype(np.int32) * 0 + 2**24),
    "NotExact-model-weight-beyond-int16": array(f"{SYNTHESIS}/6/weight", lambda w: w.astype(np.int64) * 2**56),
    "NotExact-model-shift-25": array(f"{SYNTHESIS}/5/shift", lambda s: s * 0 + np.int8(25)),
    "NotExact-model-shift-negative": array(f"{SYNTHESIS}/5/shift", lambda s: s * np.int8(-1)),
    "NotExact-model-rescale-range-empty": op(5, low=9, high=8),
    "NotExact-model-rescale-range-2-24": op(5, high=2**24),
    "NotExact-model-source-ahead": op(0, sources=[1]),
    "NotExact-model-lookup-leaves-the-table": op(14, low=-199),
    "NotExact-model-shapes-do-not-fit": op(9, width=5),
    "NotExact-model-patches-size-0": op(10, size=0),
    "NotExact-model-patches-pad": op(10, pad=2**30),
    "NotExact-model-shuffle-crop": op(13, crop=4),
    "NotExact-model-input-range-empty": array(f"{SYNTHESIS}/low", lambda low: low + np.int32(2**20)),
    "LimitExceeded-model-patches-size": op(10, size=2**12, pad=2**12 - 1),
    "LimitExceeded-model-operations": more_operations,
    "KnownAnswerMismatch-use-hash": lambda meta, sections: meta["decode"]["known_answer"].update(one="0" * 64),
    "KnownAnswerMismatch-use-weight": array(f"{SYNTHESIS}/6/bias", lambda bias: bias + np.int16(999)),
}
