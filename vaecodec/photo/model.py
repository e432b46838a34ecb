"""The model file of photographs: a container like the others, whose integer networks take a picture of any size.

meta.decode     {"photograph": description of the networks, "known_answer": what payloads decode to}  ┐ fingerprint =
decode/…        weights, integer tables, the payloads of the known answer                             ┘ SHA-256 of these
meta.encode     β of each level
encode/…        analysis and hyperanalysis (ONNX, packed weights), their gains at each level
meta.about      name, family, training record: for people

The weights are unpacked at the first use, and then a known answer is decoded: payloads within the file, whose pixels
must have the hash that it says.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from vaecodec.bitstream.array_bytes import pack_array, unpack_array
from vaecodec.bitstream.container import pack_container, unpack_with_digests
from vaecodec.bitstream.limits import MAX_CONTAINER_BYTES
from vaecodec.bitstream.reader import Buffer
from vaecodec.errors import BadField, KnownAnswerMismatch
from vaecodec.exact.stored_form import Sections
from vaecodec.modelfile.analysis_weights import Analysis
from vaecodec.modelfile.summary import (
    check_decode_bytes,
    check_default_level,
    checked_betas,
    fingerprint_of,
    refusing_misshapen,
)
from vaecodec.photo.analysis import PhotoAnalysis
from vaecodec.photo.convolution import Float32
from vaecodec.photo.fit import check_fit
from vaecodec.photo.known_answer import KnownPayload, pack_answer, unpack_answer
from vaecodec.photo.latents import ExactPhoto
from vaecodec.photo.stored import pack_networks, unpack_networks

KIND = "photograph"
MAX_HALO = 64


@dataclass(frozen=True, eq=False)
class Encoder:
    """What only an encoder needs: graphs, and float32 gains of each level, (levels, c) and (levels, c_z).

    halo: positions around a tile that the analysis of its latents depends on.
    """

    analysis: Analysis
    hyper: Analysis
    gain: Float32
    z_gain: Float32
    halo: int


@dataclass(frozen=True, eq=False)
class PhotoModel:
    """A trained photograph model as it is stored.

    betas: β = 1 / λ of each level, coarsest first. decode, sections: the networks as they lie in a file (stored.py).
    encoder: None where the model only decodes. about: training record.
    """

    name: str
    family: str
    betas: tuple[float, ...]
    default_level: int
    about: dict[str, Any]
    decode: dict[str, Any]
    sections: Mapping[str, bytes] = field(repr=False)
    encoder: Encoder | None = field(repr=False)

    @property
    def can_compress(self) -> bool:
        """Whether it has an analysis."""
        return self.encoder is not None

    @cached_property
    def fingerprint(self) -> bytes:
        """SHA-256 of everything that decoding depends on, 32 bytes."""
        return fingerprint_of(self.decode, {k: hashlib.sha256(data).hexdigest() for k, data in self.sections.items()})

    @cached_property
    def networks(self) -> ExactPhoto:
        """The integer networks, unpacked and proven at the first use.

        Raises FormatError's children, NotExact, and KnownAnswerMismatch where this machine's arithmetic is wrong.
        """
        with refusing_misshapen():
            networks = unpack_networks(self.decode[KIND], self.sections)
            check_fit(networks)
            answers = unpack_answer(self.decode["known_answer"], self.sections, len(self.betas))
        for answer in answers:
            if answer.digest(networks) != answer.sha256:
                raise KnownAnswerMismatch(
                    f"{self.name}: at level {answer.level} this machine's arithmetic does not give the known answer; "
                    "pictures would be wrong"
                )
        return networks

    @cached_property
    def analysis(self) -> PhotoAnalysis:
        """What makes latents of pixels. Raises ModelError where there is none, at its first use."""
        if self.encoder is None:
            return PhotoAnalysis(Analysis(b""), Analysis(b""), 0, (0, 0))
        channels = self.encoder.gain.shape[1], self.encoder.z_gain.shape[1]
        return PhotoAnalysis(self.encoder.analysis, self.encoder.hyper, self.encoder.halo, channels)

    def to_bytes(self) -> bytes:
        """The bytes of its file."""
        sections: Sections = dict(self.sections)
        encode: dict[str, Any] = {"betas": list(self.betas)}
        if self.default_level:
            encode["default_level"] = self.default_level
        if self.encoder is not None:
            encode["halo"] = self.encoder.halo
            sections |= self.encoder.analysis.sections("encode/")
            sections |= self.encoder.hyper.sections("encode/hyper/")
            sections |= {
                "encode/gain": pack_array(self.encoder.gain),
                "encode/hyper/gain": pack_array(self.encoder.z_gain),
            }
        about = {**self.about, "name": self.name, "family": self.family}
        return pack_container({"decode": self.decode, "encode": encode, "about": about}, sections)

    @classmethod
    def from_bytes(cls, data: Buffer) -> PhotoModel:
        """The inverse of to_bytes, but for networks and weights of the analysis, which are read at the first use.

        Raises FormatError's children.
        """
        meta, found, digests = unpack_with_digests(data)
        check_decode_bytes(found)
        with refusing_misshapen():
            about, decode, encode = dict(meta["about"]), meta["decode"], meta["encode"]
            if KIND not in decode:
                raise BadField("model file: it is not a photograph model")
            sections = {name: bytes(section) for name, section in found.items() if name.startswith("decode/")}
            model = cls(
                name=about.pop("name"),
                family=about.pop("family"),
                betas=checked_betas(encode["betas"]),
                default_level=encode.get("default_level", 0),
                about=about,
                decode=decode,
                sections=sections,
                encoder=_encoder(encode, found) if "encode/analysis.onnx" in found else None,
            )
            _check(model)
            check_default_level(encode, len(model.betas))
        vars(model)["fingerprint"] = fingerprint_of(decode, digests)  # known by now: nothing is hashed twice
        return model


def make_photo_model(
    name: str,
    networks: ExactPhoto,
    betas: tuple[float, ...],
    encoder: Encoder,
    answers: tuple[KnownPayload, ...],
    about: dict[str, Any],
    *,
    default_level: int = 0,
) -> PhotoModel:
    """A model of networks that were converted."""
    check_fit(networks)
    described, sections = pack_networks(networks)
    known, payloads = pack_answer(answers)
    decode = {KIND: described, "known_answer": known}
    return PhotoModel(name, "photo", betas, default_level, about, decode, {**sections, **payloads}, encoder)


def open_photo_model(path: str | os.PathLike[str]) -> PhotoModel:
    """The model of a file. Raises OSError besides what from_bytes raises."""
    with open(path, "rb") as file:
        return PhotoModel.from_bytes(file.read(MAX_CONTAINER_BYTES + 1))


def _encoder(encode: dict[str, Any], sections: Mapping[str, Buffer]) -> Encoder:
    halo = encode["halo"]
    if type(halo) is not int or not 0 <= halo <= MAX_HALO:
        raise BadField(f"photograph model: a halo of {halo!r} positions")
    gains = [unpack_array(sections[name]) for name in ("encode/gain", "encode/hyper/gain")]
    if any(gain.dtype != np.float32 or gain.ndim != 2 or len(gain) != len(encode["betas"]) for gain in gains):
        raise BadField("photograph model: gains must be float32, a row for each level")
    return Encoder(
        Analysis.stored(sections, "encode/"), Analysis.stored(sections, "encode/hyper/"), gains[0], gains[1], halo
    )


def _check(model: PhotoModel) -> None:
    if not (isinstance(model.name, str) and isinstance(model.family, str)):
        raise BadField("model file: name and family must be strings")
    levels = model.decode[KIND]["levels"]
    if levels != len(model.betas):
        raise BadField(f"photograph model: networks of {levels!r} levels, β of {len(model.betas)}")
