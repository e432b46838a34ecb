"""The codecs of an archive's models: those given, else embedded in it, else installed here, else beside its shards."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaecodec.archive.directory import Directory
from vaecodec.archive.source import Source, read_within
from vaecodec.bitstream.archive.model_record import (
    MAX_EMBEDDED_BYTES,
    MAX_MODEL_RECORD_BYTES,
    unpack_embedded,
    unpack_model_record,
)
from vaecodec.bitstream.limits import SHORT_FINGERPRINT_BYTES
from vaecodec.codec.codec import Codec, codec_of, load
from vaecodec.errors import BadChecksum, FormatError, ModelMismatch, ModelNotFound
from vaecodec.modelfile.installed import installed_models
from vaecodec.modelfile.model import pack_model

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec

    ModelLike = AnyCodec | str | os.PathLike[str]


def as_codec(model: ModelLike) -> AnyCodec:
    """A codec as it is, or that of a name or path. Raises ModelNotFound, FormatError, WrongType."""
    if isinstance(model, Codec):
        return model
    if not isinstance(model, str | bytes | os.PathLike):
        from vaecodec.codec.photograph import PhotographCodec

        if isinstance(model, PhotographCodec):
            return model
    return load(model)


def model_file(codec: AnyCodec) -> bytes:
    """The bytes of its model's file."""
    return pack_model(codec.model) if isinstance(codec, Codec) else codec.model.to_bytes()


def fingerprints_at_hand(given: Sequence[AnyCodec]) -> set[bytes]:
    """Of the codecs given and of every model that is installed."""
    installed = {model.summary.fingerprint for model in installed_models()}
    return installed | {codec.fingerprint for codec in given}


def codec_by_fingerprint(fingerprint: bytes) -> AnyCodec | None:
    """Of the installed model of a whole fingerprint. Raises FormatError's children where its file is damaged."""
    for installed in installed_models(fingerprint[:SHORT_FINGERPRINT_BYTES]):
        if installed.summary.fingerprint == fingerprint:
            return load(installed.path)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedModel:
    """A model file that an archive carries, and its codec. repaired: whether its record is damaged."""

    file: bytes
    repaired: bool
    codec: AnyCodec


class ArchiveModels:
    """Finds the codec of each model number, once.

    beside: gives the model file that lies beside the archive, of shards; None where there is none.
    """

    def __init__(
        self,
        source: Source,
        directory: Directory,
        given: Sequence[AnyCodec],
        beside: Callable[[], bytes | None] | None = None,
    ) -> None:
        self._source = source
        self._directory = directory
        self._beside = beside
        self._given = tuple(given)
        self._codecs: dict[int, AnyCodec] = {}

    def check_given(self) -> None:
        """Raises ModelMismatch where a codec was given that no block of the archive was made with."""
        there = {place.fingerprint for place in self._directory.models.values()}
        for codec in self._given:
            if there and codec.fingerprint not in there:
                raise ModelMismatch(
                    f"the archive was made with {', '.join(self.describe(k) for k in self._directory.models)}, "
                    f"not with {codec.model.name} ({codec.fingerprint.hex()[:16]})"
                )

    def codec(self, number: int) -> AnyCodec:
        """Raises ModelNotFound, which says the model that is missing; FormatError where an embedded one is damaged."""
        if number not in self._codecs:
            self._codecs[number] = self._find(number)
        return self._codecs[number]

    def _find(self, number: int) -> AnyCodec:
        fingerprint = self._directory.fingerprint_of(number)
        for codec in self._given:
            if codec.fingerprint == fingerprint:
                return codec
        embedded = self._embedded(number)
        if embedded is not None and not isinstance(embedded, FormatError):
            return embedded
        installed = codec_by_fingerprint(fingerprint)
        if installed is not None:
            return installed
        file = None if self._beside is None else self._beside()
        if file is not None and (codec := codec_of(file)).fingerprint == fingerprint:
            return codec
        if embedded is not None:
            raise embedded
        raise ModelNotFound(
            f"the archive needs model {self.describe(number)}, which is not installed: "
            "give its file (--model), or install it with vaecodec models add"
        )

    def _embedded(self, number: int) -> AnyCodec | FormatError | None:
        try:
            embedded = self.embedded(number)
        except FormatError as error:
            return error
        return None if embedded is None else embedded.codec

    def embedded(self, number: int) -> EmbeddedModel | None:
        """The model that the archive carries; None where it does not.

        Raises FormatError's children, where its fingerprint is another than the archive's too.
        """
        place = self._directory.models[number].embedded
        if place is None:
            return None
        record = read_within(self._source, place, MAX_EMBEDDED_BYTES, "embedded model")
        file, repaired = unpack_embedded(record)
        codec = codec_of(file)
        if codec.fingerprint != self._directory.fingerprint_of(number):
            raise BadChecksum("embedded model: its fingerprint is not the archive's")
        return EmbeddedModel(file, repaired, codec)

    def name(self, number: int) -> str | None:
        """As the archive tells it; None where that record is damaged."""
        record = self._directory.models[number].record
        try:
            if record is None:
                return None
            return unpack_model_record(read_within(self._source, record, MAX_MODEL_RECORD_BYTES, "model record")).name
        except FormatError:
            return None

    def describe(self, number: int) -> str:
        """Name and the start of the fingerprint."""
        name = self.name(number)
        short = self._directory.fingerprint_of(number).hex()[:16]
        return f"{name} ({short}…)" if name else f"{short}…"
