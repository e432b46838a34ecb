"""The model file: everything that coding needs, in one container without pickle.

    meta.decode     geometry, operations of the synthesis        ┐ fingerprint = SHA-256
    decode/…        integer tables and weights, known answer     ┘ of these
    meta.encode     input and output names of the analysis graph
    encode/…        analysis.onnx, the quantizer's steps and centers
    meta.about      name, family, β, training record: for people
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from vaecodec.bitstream.arrays import pack_array, unpack_array
from vaecodec.bitstream.container import pack_container, unpack_container
from vaecodec.bitstream.limits import MAX_SIDE
from vaecodec.bitstream.reader import Buffer
from vaecodec.entropy.quantizer import Quantizer
from vaecodec.entropy.tables import CodingTables
from vaecodec.errors import BadField, FormatError, NotExact
from vaecodec.runtime.exact import OPS, ExactNetwork, Op

Sections = dict[str, bytes]
KNOWN_ANSWER_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One point of the rate-distortion curve: the tables that decide the code, and how the encoder quantises."""

    beta: float
    tables: CodingTables
    quantizer: Quantizer


@dataclass(frozen=True, slots=True, eq=False)
class KnownAnswer:
    """symbols int32 (64, n) and the SHA-256 of the synthesis' result for the first one and for all."""

    symbols: npt.NDArray[np.int32]
    sha256_one: str
    sha256_all: str


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A trained model as it is stored.

    height, width: the images' geometry in pixels. analysis: ONNX, float32 (b, h, w) in 0..1 → float32 (b, n).
    synthesis: symbols (b, n) → pixels (b, h, w, 1) in 0..255. about: name, family and training record.
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

    @property
    def latents(self) -> int:
        """How many latents are coded."""
        return len(self.synthesis.input_low)

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of everything that decoding depends on, 32 bytes."""
        return _fingerprint(*_pack_decode(self))


def answer_of(network: ExactNetwork, symbols: npt.NDArray[np.int32]) -> str:
    """SHA-256 of the result as little-endian int32."""
    return hashlib.sha256(network(symbols).astype("<i4").tobytes()).hexdigest()


def make_known_answer(network: ExactNetwork, symbols: npt.NDArray[np.int32]) -> KnownAnswer:
    """The known answer for 64 rows of symbols."""
    return KnownAnswer(symbols, answer_of(network, symbols[:1]), answer_of(network, symbols))


def pack_model(model: Model) -> bytes:
    """The bytes of a model file."""
    decode, sections = _pack_decode(model)
    betas = [level.beta for level in model.levels]
    for k, level in enumerate(model.levels):
        sections[f"encode/level/{k}/center"] = pack_array(level.quantizer.center)
        sections[f"encode/level/{k}/step"] = pack_array(level.quantizer.step)
    sections["encode/analysis.onnx"] = model.analysis
    about = {**model.about, "name": model.name, "family": model.family}
    return pack_container({"decode": decode, "encode": {"betas": betas}, "about": about}, sections)


def unpack_model(data: Buffer) -> Model:
    """The inverse of pack_model. Raises FormatError and its children, and NotExact."""
    meta, sections = unpack_container(data)
    try:
        decode, about, betas = meta["decode"], dict(meta["about"]), meta["encode"]["betas"]
        synthesis = _unpack_network(decode["synthesis"], sections)
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
                unpack_array(sections["decode/known_answer"]).astype(np.int32), answer["one"], answer["all"]
            ),
            about=about,
        )
        _check(model)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
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
        return unpack_model(file.read())


def _fingerprint(decode: dict[str, Any], sections: Sections) -> bytes:
    """SHA-256 of the canonical JSON of meta.decode and of each decode/ section's name and SHA-256."""
    digests = [[name, hashlib.sha256(sections[name]).hexdigest()] for name in sorted(sections)]
    text = json.dumps([decode, digests], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _pack_decode(model: Model) -> tuple[dict[str, Any], Sections]:
    sections: Sections = {"decode/known_answer": pack_array(_narrow(model.known_answer.symbols))}
    for k, level in enumerate(model.levels):
        for name, array in level.tables.to_arrays().items():
            sections[f"decode/level/{k}/{name}"] = pack_array(array)
    network = model.synthesis
    sections["decode/synthesis/low"] = pack_array(network.input_low)
    sections["decode/synthesis/high"] = pack_array(network.input_high)
    ops = [_pack_op(k, op, sections) for k, op in enumerate(network.ops)]
    decode = {
        "height": model.height,
        "width": model.width,
        "levels": len(model.levels),
        "synthesis": ops,
        "known_answer": {"one": model.known_answer.sha256_one, "all": model.known_answer.sha256_all},
    }
    return decode, sections


def _pack_op(position: int, op: Op, sections: Sections) -> dict[str, Any]:
    """Whole-number fields into the description, arrays into sections."""
    described: dict[str, Any] = {"op": op.kind, "sources": list(op.sources)}
    for name in (field.name for field in fields(op)):
        value = getattr(op, name)
        if isinstance(value, np.ndarray):
            sections[f"decode/synthesis/{position}/{name}"] = pack_array(_narrow(value))
        elif name != "sources":
            described[name] = value
    return described


def _unpack_network(ops: list[dict[str, Any]], sections: dict[str, memoryview]) -> ExactNetwork:
    low, high = (unpack_array(sections[f"decode/synthesis/{name}"]) for name in ("low", "high"))
    return ExactNetwork(low.astype(np.int32), high.astype(np.int32), tuple(_unpack_op(k, f, sections) for k, f in enumerate(ops)))


def _unpack_op(position: int, described: dict[str, Any], sections: dict[str, memoryview]) -> Op:
    if described["op"] not in OPS:
        raise BadField(f"operation {position}: unknown kind {described['op']!r}; there are: {', '.join(OPS)}")
    kind = OPS[described["op"]]
    values: dict[str, Any] = {}
    for name in (field.name for field in fields(kind)):
        if name == "sources":
            values[name] = tuple(int(source) for source in described[name])
        elif name in described:
            if type(described[name]) is not int:
                raise BadField(f"operation {position}: {name} must be a whole number, found {described[name]!r}")
            values[name] = described[name]
        else:
            array = unpack_array(sections[f"decode/synthesis/{position}/{name}"])
            if array.dtype.kind not in "iu":
                raise BadField(f"operation {position}: {name} must hold integers, found {array.dtype}")
            values[name] = array if name == "shift" else array.astype(np.float32)
    return kind(**values)


def _unpack_level(k: int, beta: float, sections: dict[str, memoryview]) -> Level:
    prefix = f"decode/level/{k}/"
    tables = CodingTables.from_arrays({name: unpack_array(sections[prefix + name]) for name in ("offsets", "counts", "coded")})
    center, step = (unpack_array(sections[f"encode/level/{k}/{name}"]) for name in ("center", "step"))
    return Level(float(beta), tables, Quantizer(center, step))


def _check(model: Model) -> None:
    """What the parts must agree on."""
    if not (1 <= model.height <= MAX_SIDE and 1 <= model.width <= MAX_SIDE):
        raise BadField(f"model file: geometry {model.height}x{model.width} is not in 1..{MAX_SIDE}")
    if not model.levels or not isinstance(model.name, str) or not isinstance(model.family, str):
        raise BadField("model file: needs a name, a family and at least one level")
    sizes = {level.tables.n for level in model.levels} | {len(level.quantizer.step) for level in model.levels}
    if sizes | {model.known_answer.symbols.shape[1]} != {model.latents}:
        raise BadField(f"model file: tables and quantizers of {sorted(sizes)} latents, synthesis of {model.latents}")
    low, high = model.synthesis.bounds()[-1]
    if len(low) != 1 or low[0] < 0 or high[0] > 255:
        raise BadField(f"model file: pixels must be one channel of 0..255, found {low}..{high}")


def _narrow(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The smallest signed integer type (uint8 for shifts and pixels) that holds the values."""
    whole = array.astype(np.int64)
    for dtype in (np.int8, np.uint8, np.int16, np.int32):
        limits = np.iinfo(dtype)
        if limits.min <= whole.min(initial=0) and whole.max(initial=0) <= limits.max:
            return whole.astype(dtype)
    raise BadField("array: values beyond int32")
