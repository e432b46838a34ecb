"""Archive: many images in one file, read whole or in what is left of it (section 13).

bytes --index--> blocks --model--> images, names, labels by number
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent import canonical_json, embedded, model_file
from tests.independent.blocks import NAMED, Block, Start, read_block
from tests.independent.cursor import Cursor
from tests.independent.footers import BlockPlace, ModelPlace
from tests.independent.index import read_index
from tests.independent.model_file import Model
from tests.independent.names_table import NamesTable, read_names
from tests.independent.records import BLOCK, BLOCK_FLAGS, CHECK_BYTES, MAX_METADATA_BYTES, METADATA, SYNC, Record
from tests.independent.refusal import Refused, require

Pixels = NDArray[np.uint8]


class Archive:
    """An archive in memory; `models`: those at hand besides the embedded ones."""

    def __init__(self, data: bytes, models: Sequence[Model] = ()) -> None:
        self._data = data
        self._at_hand = {model.fingerprint: model for model in models}
        self._index = read_index(data, self._at_hand)
        self._models: dict[int, Model] = {}
        self._blocks: dict[int, Block] = {}
        self._names: dict[int, str] | None = None

    def __len__(self) -> int:
        return self._index.images

    @property
    def problems(self) -> list[str]:
        """What was found wrong with the index."""
        return self._index.problems

    @property
    def scanned(self) -> bool:
        """Whether a footer is damaged, so that records were looked for."""
        return self._index.scanned

    @property
    def contradicts(self) -> bool:
        """Whether blocks that were found say other numbers than whole footers."""
        return self._index.contradicts

    def blocks(self) -> Iterator[tuple[int, list[Pixels]]]:
        """First number and images of every block that is whole."""
        for place in self._index.blocks:
            try:
                block, model = self._read(place)
                yield place.first, block.images(model)
            except Refused:
                continue

    def names(self) -> dict[int, str]:
        """The names that can be read, by the image's number."""
        if self._names is None:
            self._names = self._read_all_names()
        return self._names

    def _read_all_names(self) -> dict[int, str]:
        found = {}
        for place in self._index.blocks:
            try:
                names = self._read_names(place)
            except Refused:
                continue
            found |= dict(enumerate(names or [], place.first))
        return found

    def labels(self) -> dict[int, tuple[int, ...]]:
        """The labels that can be read, by the image's number."""
        found = {}
        for place in self._index.blocks:
            try:
                block = self._read(place)[0]
            except Refused:
                continue
            if block.labels is not None:
                found |= {place.first + i: tuple(row) for i, row in enumerate(block.labels.tolist())}
        return found

    def metadata(self) -> dict[str, Any]:
        """The JSON record; empty where there is none."""
        if self._index.metadata is None:
            return {}
        start, size = self._index.metadata
        require(size <= MAX_METADATA_BYTES, "LimitExceeded", "metadata that are too long")
        body = Record.exactly(self._data, start, size).checked_body(METADATA)
        return canonical_json.record(canonical_json.parse(body), "metadata")

    def number_of(self, name: str) -> int | None:
        """The number of the first image of this name: by the names' tables, or by the names where one is missing."""
        names = self.names()
        try:
            numbers = self._listed_numbers(name)
        except Refused:
            numbers = sorted(names)
        return next((number for number in numbers if names.get(number) == name), None)

    def tables_are_whole(self) -> bool:
        """Whether every name can be looked up in the names' tables."""
        try:
            for table, _ in self._tables():
                table.check()
        except Refused:
            return False
        return True

    def _listed_numbers(self, name: str) -> list[int]:
        return [first + number for table, first in self._tables() for number in table.numbers(name)]

    def _tables(self) -> Iterator[tuple[NamesTable, int]]:
        """Each segment's table and its first image."""
        require(not self._index.scanned, "BadField", "a segment without an index may have names")
        for span in self._index.names:
            place = span.place
            record = Record.exactly(self._data, place.start, place.size)
            yield NamesTable(record, place.entries, place.page_hashes, span.images), span.first

    def models(self) -> list[int]:
        """The numbers of the models that are known."""
        return sorted(self._index.models)

    def embedded_model(self, number: int) -> bytes | None:
        """The model file that the archive carries, repaired; None where it does not."""
        place = self._place_of_model(number)
        start, size = place.embedded
        if size == 0:
            return None
        file = embedded.embedded_file(self._data[start : start + size])
        found = model_file.read(file).fingerprint
        require(found == place.fingerprint, "ModelMismatch", "an embedded model of another fingerprint")
        return file

    def _place_of_model(self, number: int) -> ModelPlace:
        require(number in self._index.models, "BadField", f"there is no model {number}")
        return self._index.models[number]

    def _model(self, number: int) -> Model:
        if number not in self._models:
            fingerprint = self._place_of_model(number).fingerprint
            model = self._at_hand.get(fingerprint)
            if model is None:
                file = self.embedded_model(number)
                require(file is not None, "ModelNotFound", f"no model {fingerprint.hex()[:16]}")
                model = model_file.read(file or b"")
                model.check()
            self._models[number] = model
        return self._models[number]

    def _record(self, place: BlockPlace) -> Record:
        return Record.exactly(self._data, place.start, place.size)

    def _read(self, place: BlockPlace) -> tuple[Block, Model]:
        record = self._record(place)
        if place.start not in self._blocks:
            start = Start.of(record)
            require((start.first, start.images) == (place.first, place.images), "BadField", "a block of other images")
            model = self._model(start.model)
            block = read_block(record, model.fingerprint, (model.height, model.width))
            self._blocks[place.start] = block
        block = self._blocks[place.start]
        return block, self._model(block.start.model)

    def _read_names(self, place: BlockPlace) -> list[str] | None:
        """Names have a check of their own: damage to the images, or to the record's length, loses none."""
        cursor = Cursor(self._data[: place.start + place.size - CHECK_BYTES], place.start)
        require(cursor.take(2, "sync") == SYNC, "BadField", f"no record at {place.start}")
        kind = cursor.unsigned(1, "kind")
        require(BLOCK <= kind <= BLOCK + BLOCK_FLAGS, "BadField", f"no block at {place.start}")
        cursor.uvarint("a record's length")
        cursor.uvarint("a block's model")
        require(cursor.unsigned(1, "a block's images") + 1 == place.images, "BadField", "a block of other images")
        cursor.uvarint("a block's first image")
        if not kind & NAMED:
            return None
        size = cursor.uvarint("names' bytes")
        cursor.take(cursor.left() - size, "what lies before the names")
        return read_names(cursor.take(size, "names"), place.images)
