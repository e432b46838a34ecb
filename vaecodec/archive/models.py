"""The codecs of an archive's models: those given, else embedded in the archive, else installed on this machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from vaecodec.archive.directory import Directory
from vaecodec.archive.source import Source, read_within
from vaecodec.bitstream.archive.model_record import (
    MAX_EMBEDDED_BYTES,
    MAX_MODEL_RECORD_BYTES,
    unpack_embedded,
    unpack_model_record,
)
from vaecodec.codec.codec import Codec, load
from vaecodec.errors import BadChecksum, FormatError, ModelMismatch, ModelNotFound
from vaecodec.modelfile.installed import installed_models, model_by_fingerprint
from vaecodec.modelfile.model import Model, open_model

ModelLike = Codec | str | os.PathLike[str]


def as_codec(model: ModelLike) -> Codec:
    """A codec as it is, or that of a name or path. Raises ModelNotFound, FormatError, WrongType."""
    return model if isinstance(model, Codec) else load(model)


def fingerprints_at_hand(given: Sequence[Codec]) -> set[bytes]:
    """Of the codecs given and of every model that is installed."""
    installed = {model.summary.fingerprint for model in installed_models()}
    return installed | {codec.fingerprint for codec in given}


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A model file that an archive carries. repaired: whether its record is damaged."""

    file: bytes
    repaired: bool
    model: Model


class ArchiveModels:
    """Finds the codec of each model number, once."""

    def __init__(self, source: Source, directory: Directory, given: Sequence[Codec]) -> None:
        self._source = source
        self._directory = directory
        self._given = tuple(given)
        self._codecs: dict[int, Codec] = {}

    def check_given(self) -> None:
        """Raises ModelMismatch where a codec was given that no block of the archive was made with."""
        there = {place.fingerprint for place in self._directory.models.values()}
        for codec in self._given:
            if there and codec.fingerprint not in there:
                raise ModelMismatch(
                    f"the archive was made with {', '.join(self.describe(k) for k in self._directory.models)}, "
                    f"not with {codec.model.name} ({codec.fingerprint.hex()[:16]})"
                )

    def codec(self, number: int) -> Codec:
        """Raises ModelNotFound, which says the model that is missing; FormatError where an embedded one is damaged."""
        if number not in self._codecs:
            self._codecs[number] = self._find(number)
        return self._codecs[number]

    def _find(self, number: int) -> Codec:
        fingerprint = self._directory.fingerprint_of(number)
        for codec in self._given:
            if codec.fingerprint == fingerprint:
                return codec
        embedded = self._embedded(number)
        if isinstance(embedded, Codec):
            return embedded
        installed = model_by_fingerprint(fingerprint)
        if installed is not None:
            return Codec(installed)
        if embedded is not None:
            raise embedded
        raise ModelNotFound(
            f"the archive needs model {self.describe(number)}, which is not installed: "
            "give its file (--model), or install it with vaecodec models add"
        )

    def _embedded(self, number: int) -> Codec | FormatError | None:
        try:
            embedded = self.embedded(number)
        except FormatError as error:
            return error
        return None if embedded is None else Codec(embedded.model)

    def embedded(self, number: int) -> EmbeddedModel | None:
        """The model that the archive carries; None where it does not.

        Raises FormatError's children, where its fingerprint is another than the archive's too.
        """
        place = self._directory.models[number].embedded
        if place is None:
            return None
        record = read_within(self._source, place, MAX_EMBEDDED_BYTES, "embedded model")
        file, repaired = unpack_embedded(record)
        model = open_model(file)
        if model.fingerprint != self._directory.fingerprint_of(number):
            raise BadChecksum("embedded model: its fingerprint is not the archive's")
        return EmbeddedModel(file, repaired, model)

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
