"""The model file: everything that coding needs, in one container without pickle.

meta.decode     geometry, operations of the synthesis        ┐ fingerprint = SHA-256
decode/…        integer tables and weights, known answer     ┘ of these
meta.encode     β of each level
encode/…        analysis.onnx, the quantizer's steps and centers
meta.about      name, family, training record: for people
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from vaecodec.bitstream.arrays import pack_array, unpack_array
from vaecodec.bitstream.container import pack_container, unpack_container, unpack_header
from vaecodec.bitstream.limits import MAX_CONTAINER_BYTES, MAX_HEADER_BYTES, MAX_LEVEL, MAX_SIDE
from vaecodec.bitstream.reader import Buffer
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables
from vaecodec.errors import BadField, FormatError, NotCanonical, NotExact, Truncated
from vaecodec.runtime.exact import ExactNetwork
from vaecodec.runtime.known_answer import KNOWN_ANSWER_BATCH, KnownAnswer
from vaecodec.runtime.lossless_part import LosslessPart
from vaecodec.runtime.network_file import Sections, narrow, pack_network, unpack_integers, unpack_network

HEADER_READ_BYTES = 1 << 16  # longer than the header of most models
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One point of the rate-distortion curve: the tables that decide the code, and how the encoder quantises."""

    beta: float
    tables: CodingTables
    quantizer: Quantizer


@dataclass(frozen=True, eq=False)
class Model:
    """A trained model as it is stored.

    height, width: the images' geometry in pixels. analysis: ONNX, float32 (b, h, w) in 0..1 → float32 (b, n).
    synthesis: symbols (b, n) → pixels (b, h, w, 1) in 0..255. about: name, family and training record. default_level:
    what compressing uses when it is told nothing.
    """

    name: str
    family: str
    height: int
    width: int
    levels: tuple[Level, ...]
    analysis: bytes
    synthesis: ExactNetwork
    known_answer: KnownAnswer
    about: dict[str, Any]
    default_level: int = 0
    lossless: LosslessPart | None = None

    @property
    def latents(self) -> int:
        """How many latents there are."""
        return self.levels[0].tables.n

    @property
    def level_is_input(self) -> bool:
        """Whether the synthesis takes the level, as one value more after the symbols."""
        return len(self.synthesis.input_low) == self.latents + 1

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of everything that decoding depends on, 32 bytes."""
        decode, sections = _pack_decode(self)
        return _fingerprint(decode, {name: hashlib.sha256(data).hexdigest() for name, data in sections.items()})


def pack_model(model: Model) -> bytes:
    """The bytes of a model file."""
    decode, sections = _pack_decode(model)
    betas = [level.beta for level in model.levels]
    for k, level in enumerate(model.levels):
        sections[f"encode/level/{k}/center"] = pack_array(level.quantizer.center)
        sections[f"encode/level/{k}/step"] = pack_array(level.quantizer.step)
    sections["encode/analysis.onnx"] = model.analysis
    about = {**model.about, "name": model.name, "family": model.family}
    encode: dict[str, Any] = {"betas": betas}
    if model.default_level:
        encode["default_level"] = model.default_level
    return pack_container({"decode": decode, "encode": encode, "about": about}, sections)


def unpack_model(data: Buffer) -> Model:
    """The inverse of pack_model. Raises FormatError and its children, and NotExact."""
    meta, sections = unpack_container(data)
    try:
        decode, about, betas = meta["decode"], dict(meta["about"]), meta["encode"]["betas"]
        synthesis = unpack_network(decode["synthesis"], sections)
        answer = decode["known_answer"]
        model = Model(
            name=about.pop("name"),
            family=about.pop("family"),
            height=decode["height"],
            width=decode["width"],
            levels=tuple(_unpack_level(k, beta, sections) for k, beta in enumerate(betas)),
            analysis=bytes(sections["encode/analysis.onnx"]),
            synthesis=synthesis,
            known_answer=KnownAnswer(
                unpack_integers(sections["decode/known_answer"], "known answer").astype(np.int32),
                answer["one"],
                answer["all"],
            ),
            about=about,
            default_level=meta["encode"].get("default_level", 0),
        )
        _check(model)
        digests = {name: hashlib.sha256(section).hexdigest() for name, section in sections.items()}
        if model.fingerprint != _fingerprint(decode, digests):
            raise NotCanonical("model file: what decoding depends on is not written as an encoder writes it")
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise BadField(f"model file: missing or misshapen field ({error!r})") from error
    except NotExact:
        raise
    except ValueError as error:
        if isinstance(error, FormatError):
            raise
        raise BadField(f"model file: {error}") from error
    return model


def read_model(path: str | os.PathLike[str]) -> Model:
    """Read a model file. Raises OSError besides what unpack_model raises."""
    with open(path, "rb") as file:
        return unpack_model(file.read(MAX_CONTAINER_BYTES + 1))


@dataclass(frozen=True, slots=True)
class Summary:
    """What the header alone says of a model. betas: one for each level; about: as Model's."""

    name: str
    family: str
    fingerprint: bytes
    height: int
    width: int
    betas: tuple[float, ...]
    about: dict[str, Any]


def read_summary(path: str | os.PathLike[str]) -> Summary:
    """Read a model file's header. Raises OSError, FormatError and its children."""
    with open(path, "rb") as file:
        data = file.read(HEADER_READ_BYTES)
        try:
            meta, digests = unpack_header(data)
        except Truncated:
            meta, digests = unpack_header(data + file.read(MAX_HEADER_BYTES))
    try:
        about, decode = dict(meta["about"]), meta["decode"]
        summary = Summary(
            name=about.pop("name"),
            family=about.pop("family"),
            fingerprint=_fingerprint(decode, digests),
            height=decode["height"],
            width=decode["width"],
            betas=tuple(_beta(beta) for beta in meta["encode"]["betas"]),
            about=about,
        )
        _check_header(summary)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        if isinstance(error, FormatError):
            raise
        raise BadField(f"model file: missing or misshapen field ({error!r})") from error
    return summary


def _fingerprint(decode: dict[str, Any], digests: dict[str, str]) -> bytes:
    """SHA-256 of the canonical JSON of meta.decode and of each decode/ section's name and SHA-256."""
    listed = [[name, digests[name]] for name in sorted(digests) if name.startswith("decode/")]
    text = json.dumps([decode, listed], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _pack_decode(model: Model) -> tuple[dict[str, Any], Sections]:
    sections: Sections = {"decode/known_answer": pack_array(narrow(model.known_answer.symbols))}
    for k, level in enumerate(model.levels):
        for name, array in level.tables.to_arrays().items():
            sections[f"decode/level/{k}/{name}"] = pack_array(array)
    ops, arrays = pack_network(model.synthesis)
    sections.update(arrays)
    decode = {
        "height": model.height,
        "width": model.width,
        "levels": len(model.levels),
        "synthesis": ops,
        "known_answer": {"one": model.known_answer.sha256_one, "all": model.known_answer.sha256_all},
    }
    return decode, sections


def _unpack_level(k: int, beta: object, sections: dict[str, memoryview]) -> Level:
    prefix = f"decode/level/{k}/"
    tables = CodingTables.from_arrays(
        {name: unpack_array(sections[prefix + name]) for name in ("offsets", "counts", "coded")}
    )
    center, step = (unpack_array(sections[f"encode/level/{k}/{name}"]) for name in ("center", "step"))
    return Level(_beta(beta), tables, Quantizer(center, step))


def _beta(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= float(value) < math.inf:
        raise BadField(f"model file: β of a level must be a finite number of at least 0, found {value!r}")
    return float(value)


def _check(model: Model) -> None:
    """What the parts must agree on."""
    _check_header(model)
    if not 1 <= len(model.levels) <= MAX_LEVEL + 1:
        raise BadField(f"model file: {len(model.levels)} levels, expected 1..{MAX_LEVEL + 1}")
    if type(model.default_level) is not int or not 0 <= model.default_level < len(model.levels):
        raise BadField(f"model file: default level {model.default_level!r} of {len(model.levels)}")
    sizes = {level.tables.n for level in model.levels} | {len(level.quantizer.step) for level in model.levels}
    inputs = len(model.synthesis.input_low)
    if len(sizes) != 1 or inputs - model.latents not in (0, 1):
        raise BadField(f"model file: tables and quantizers of {sorted(sizes)} latents, synthesis of {inputs} inputs")
    if model.known_answer.symbols.shape != (KNOWN_ANSWER_BATCH, len(model.synthesis.input_low)):
        raise BadField(f"model file: known answer of shape {model.known_answer.symbols.shape}")
    for digest in (model.known_answer.sha256_one, model.known_answer.sha256_all):
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise BadField(f"model file: known answer must be 64 lower-case hexadecimal digits, found {digest!r}")
    pixels = model.synthesis.result
    if pixels.shape != (model.height, model.width, 1) or pixels.low[0] < 0 or pixels.high[0] > 255:
        raise BadField(
            f"model file: pixels must be {model.height}x{model.width}x1 of 0..255, "
            f"found {pixels.shape} of {pixels.low.min()}..{pixels.high.max()}"
        )


def _check_header(part: Model | Summary) -> None:
    """What can be checked without the sections."""
    if not (isinstance(part.name, str) and isinstance(part.family, str)):
        raise BadField("model file: name and family must be strings")
    for side in (part.height, part.width):
        if type(side) is not int or not 1 <= side <= MAX_SIDE:
            raise BadField(f"model file: geometry {part.height!r}x{part.width!r} is not in 1..{MAX_SIDE}")
