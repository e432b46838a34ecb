"""The model file: everything that coding needs, in one container without pickle.

meta.decode     geometry, operations of the networks         ┐ fingerprint = SHA-256
decode/…        integer tables and weights, known answers    ┘ of these
meta.encode     β of each level
encode/…        analysis.onnx, its packed weights, the quantizer's steps and centers (levels.py)
meta.about      name, family, training record: for people

A model has lossy levels, or a lossless part (lossless_form.py), which is of grey images, or both. Priors that depend on
symbols (priors.py) go with one lossy level: section 15 of docs/format.md says so, and no other part of the house.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from vaecodec.arrays import Size
from vaecodec.bitstream.array_bytes import pack_array
from vaecodec.bitstream.container import pack_container, unpack_with_digests
from vaecodec.bitstream.limits import MAX_CONTAINER_BYTES, MAX_LEVEL
from vaecodec.bitstream.reader import Buffer
from vaecodec.entropy.tables import Int32
from vaecodec.errors import BadField, NotCanonical
from vaecodec.exact.known_answer import KNOWN_ANSWER_BATCH, KnownAnswer, checked_answer
from vaecodec.exact.network import ExactNetwork
from vaecodec.exact.stored_form import Sections, narrow, pack_network, unpack_integers, unpack_network
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.levels import Level, pack_quantizers, pack_tables, unpack_levels
from vaecodec.modelfile.lossless_sections import DECODE, ENCODE, StoredLossless
from vaecodec.modelfile.summary import (
    PHOTOGRAPH,
    check_decode_bytes,
    check_default_level,
    check_header,
    checked_betas,
    fingerprint_of,
    refusing_misshapen,
)

if TYPE_CHECKING:
    from vaecodec.modelfile.lossless_part import LosslessPart
    from vaecodec.modelfile.priors import ConditionalPriors

SYNTHESIS = "decode/synthesis/"


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model as it is stored.

    height, width, channels: the images' geometry, in pixels; 1 channel is grey, 3 are RGB. levels: coarsest first; ()
    where there is a lossless part alone, and then analysis, synthesis and known_answer are empty. analysis: ONNX,
    float32 (b, h, w) or (b, h, w, 3) in 0..1 → float32 (b, n), or empty where the model only decodes; its weights are
    unpacked when it is first run. synthesis: symbols (b, n) → pixels (b, h, w, channels) in 0..255. about: name, family
    and training record. default_level: what compressing uses when it is told nothing. stored_lossless: what codes
    images exactly, as it lies in a file, or None. priors: None where every symbol is coded with the level's tables, in
    one group.
    """

    name: str
    family: str
    height: int
    width: int
    levels: tuple[Level, ...]
    analysis: Analysis
    synthesis: ExactNetwork
    known_answer: KnownAnswer
    about: dict[str, Any]
    default_level: int = 0
    stored_lossless: StoredLossless | None = None
    priors: ConditionalPriors | None = None
    channels: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the pixels of an image: (height, width), or in colour (height, width, channels)."""
        size = self.height, self.width
        return size if self.channels == 1 else (*size, self.channels)

    @property
    def betas(self) -> tuple[float, ...]:
        """β of each level."""
        return tuple(level.beta for level in self.levels)

    @property
    def has_lossless(self) -> bool:
        """Whether there is a lossless part, which this does not read."""
        return self.stored_lossless is not None

    @cached_property
    def lossless(self) -> LosslessPart | None:
        """The lossless part, read at the first use. Raises FormatError's children, NotExact."""
        if self.stored_lossless is None:
            return None
        from vaecodec.modelfile.lossless_form import read_part

        part = read_part(self.stored_lossless)
        if part.geometry != (self.height, self.width):
            raise BadField(f"model file: a lossless part of {part.geometry} in a model of another geometry")
        return part

    @property
    def latents(self) -> int:
        """How many latents the levels have; 0 without levels."""
        return self.levels[0].tables.n if self.levels else 0

    @property
    def level_is_input(self) -> bool:
        """Whether the synthesis takes the level, as one value more after the symbols."""
        return len(self.synthesis.input_low) == self.latents + 1

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of everything that decoding depends on, 32 bytes."""
        decode, sections = _pack_decode(self)
        return fingerprint_of(decode, {name: hashlib.sha256(data).hexdigest() for name, data in sections.items()})


def lossless_model(name: str, family: str, part: LosslessPart, about: dict[str, Any]) -> Model:
    """A model of a lossless part alone."""
    from vaecodec.modelfile.lossless_form import store_part

    return _without_levels(name, family, part.geometry, 1, store_part(part), about)


def _without_levels(
    name: str, family: str, size: Size, channels: int, stored: StoredLossless, about: dict[str, Any]
) -> Model:
    nothing = np.empty(0, np.int32)
    return Model(
        name=name,
        family=family,
        height=size[0],
        width=size[1],
        levels=(),
        analysis=Analysis(b""),
        synthesis=ExactNetwork(nothing, nothing, ()),
        known_answer=KnownAnswer(np.empty((KNOWN_ANSWER_BATCH, 0), np.int32), "", ""),
        about=about,
        stored_lossless=stored,
        channels=channels,
    )


def pack_model(model: Model) -> bytes:
    """The bytes of a model file."""
    decode, sections = _pack_decode(model)
    betas = [level.beta for level in model.levels]
    sections |= pack_quantizers(model.levels)
    if model.levels:
        sections |= model.analysis.sections("encode/")
    if model.stored_lossless is not None:
        sections |= model.stored_lossless.sections
    about = {**model.about, "name": model.name, "family": model.family}
    encode: dict[str, Any] = {"betas": betas}
    if model.default_level:
        encode["default_level"] = model.default_level
    return pack_container({"decode": decode, "encode": encode, "about": about}, sections)


def unpack_model(data: Buffer) -> Model:
    """The inverse of pack_model. Raises FormatError and its children, and NotExact."""
    model = open_model(data)
    model.analysis.check()
    if model.lossless is not None:
        model.lossless.analysis.check()
    return model


def open_model(data: Buffer) -> Model:
    """As unpack_model(), but the lossless part and packed weights are left to be read, and refused, at first use."""
    meta, sections, digests = unpack_with_digests(data)
    check_decode_bytes(sections)
    with refusing_misshapen():
        if PHOTOGRAPH in meta["decode"]:
            raise BadField("model file: is a photograph model's, expected a model of one geometry")
        model = _unpack(meta, sections)
        _check(model)
        check_default_level(meta["encode"], len(model.levels))
        decode, packed = _pack_decode(model)
        # What is kept as it was read is the same; the rest is compared as bytes, since views compare number by number.
        names = [name for name in sections if name.startswith("decode/")]
        changed = [name for name in names if not name.startswith(DECODE) and packed.get(name) != bytes(sections[name])]
        fingerprint = fingerprint_of(meta["decode"], digests)
        if changed or names != sorted(packed) or fingerprint_of(decode, digests) != fingerprint:
            raise NotCanonical("model file: what decoding depends on is not written as an encoder writes it")
    vars(model)["fingerprint"] = fingerprint  # known by now: nothing is hashed twice
    return model


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file whole. Raises OSError besides what unpack_model raises."""
    with open(path, "rb") as file:
        return unpack_model(file.read(MAX_CONTAINER_BYTES + 1))


def open_model_file(path: str | os.PathLike[str]) -> Model:
    """Read a model file but for its lossless part. Raises OSError besides what open_model raises."""
    with open(path, "rb") as file:
        return open_model(file.read(MAX_CONTAINER_BYTES + 1))


def _pack_decode(model: Model) -> tuple[dict[str, Any], Sections]:
    decode: dict[str, Any] = {"height": model.height, "width": model.width, "levels": len(model.levels)}
    if model.channels != 1:
        decode["channels"] = model.channels
    sections = pack_tables(model.levels)
    if model.levels:
        answer = model.known_answer
        decode["synthesis"], packed = pack_network(model.synthesis, SYNTHESIS)
        decode["known_answer"] = {"one": answer.sha256_one, "all": answer.sha256_all}
        sections |= {**packed, "decode/known_answer": pack_array(narrow(answer.symbols))}
    if model.priors is not None:
        from vaecodec.modelfile.priors import pack_priors  # here: most models have none, and need not wait for it

        decode["priors"], packed = pack_priors(model.priors)
        sections |= packed
    if model.stored_lossless is not None:
        decode["lossless"] = model.stored_lossless.described
        sections |= model.stored_lossless.decode_sections
    return decode, sections


def _unpack(meta: dict[str, Any], sections: dict[str, memoryview]) -> Model:
    """The model, its parts checked one by one."""
    decode, about, betas = meta["decode"], dict(meta["about"]), checked_betas(meta["encode"]["betas"])
    name, family = about.pop("name"), about.pop("family")
    stored = None
    if "lossless" in decode:
        own = {key: bytes(section) for key, section in sections.items() if key.startswith((DECODE, ENCODE))}
        stored = StoredLossless(dict(decode["lossless"]), own)
        if not betas:
            size = (decode["height"], decode["width"])
            return _without_levels(name, family, size, decode.get("channels", 1), stored, about)
    rows = unpack_integers(sections["decode/known_answer"], "known answer").astype(np.int32)
    return Model(
        name=name,
        family=family,
        height=decode["height"],
        width=decode["width"],
        levels=unpack_levels(betas, sections),
        analysis=Analysis.stored(sections, "encode/"),
        synthesis=unpack_network(decode["synthesis"], sections, SYNTHESIS),
        known_answer=checked_answer(rows, decode["known_answer"]),
        about=about,
        default_level=meta["encode"].get("default_level", 0),
        stored_lossless=stored,
        priors=_unpack_priors(decode["priors"], sections, rows) if "priors" in decode else None,
        channels=decode.get("channels", 1),
    )


def _unpack_priors(found: dict[str, Any], sections: dict[str, memoryview], rows: Int32) -> ConditionalPriors:
    from vaecodec.modelfile.priors import unpack_priors

    return unpack_priors(found, sections, rows)


def _check(model: Model) -> None:
    """What the parts must agree on."""
    check_header(model)
    if model.has_lossless and model.channels != 1:
        raise BadField(f"model file: a lossless part codes grey images, not {model.channels} channels")
    if model.levels or model.stored_lossless is None:
        _check_levels(model)


def _check_levels(model: Model) -> None:
    if not 1 <= len(model.levels) <= MAX_LEVEL + 1:
        raise BadField(f"model file: {len(model.levels)} levels, expected 1..{MAX_LEVEL + 1}")
    sizes = {level.tables.n for level in model.levels} | {len(level.quantizer.step) for level in model.levels}
    inputs = len(model.synthesis.input_low)
    if model.latents < 1:
        raise BadField("model file: levels of no latents")
    if len(sizes) != 1 or inputs - model.latents not in (0, 1):
        raise BadField(f"model file: tables and quantizers of {sorted(sizes)} latents, synthesis of {inputs} inputs")
    if model.known_answer.symbols.shape != (KNOWN_ANSWER_BATCH, len(model.synthesis.input_low)):
        raise BadField(f"model file: known answer of shape {model.known_answer.symbols.shape}")
    if model.priors is not None:
        from vaecodec.modelfile.priors import check_fit

        check_fit(model.priors, model.levels, inputs)
    pixels = model.synthesis.result
    wanted = (model.height, model.width, model.channels)
    if pixels.shape != wanted or pixels.low.min() < 0 or pixels.high.max() > 255:
        raise BadField(
            f"model file: pixels must be {'x'.join(map(str, wanted))} of 0..255, "
            f"found {pixels.shape} of {pixels.low.min()}..{pixels.high.max()}"
        )
