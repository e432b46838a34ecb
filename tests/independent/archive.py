"""Archive: many images in one file, read whole or in what is left of it (section 13).

bytes --index--> blocks --model--> images, names, labels by number
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.independent import canonical_json, embedded, model_file
from tests.independent.blocks import NAMED, Block, Start, read_block, require_block_check
from tests.independent.cursor import Cursor
from tests.independent.footers import BlockPlace, ModelPlace
from tests.independent.index import read_index
from tests.independent.model_file import Model
from tests.independent.names_table import NamesTable, read_names, table_bytes
from tests.independent.records import BLOCK, BLOCK_FLAGS, CHECK_BYTES, MAX_METADATA_BYTES, METADATA, SYNC, Record
from tests.independent.refusal import Refused, require
from tests.independent.scan import scan
from tests.independent.windows import Window

Pixels = NDArray[np.uint8]


class Archive:
    """An archive in memory; `models`: those at hand besides the embedded ones."""

    def __init__(self, data: bytes, models: Sequence[Model] = ()) -> None:
        self._data = data
        self._at_hand = {model.fingerprint: model for model in models}
        self._index = read_index(data, self._at_hand)
        self._models: dict[int, Model] = {}
        self._blocks: dict[tuple[int, int], Block] = {}
        self._names: dict[int, str] | None = None
        self._found: dict[tuple[int, int], BlockPlace] | None = None

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

    def windows(self) -> dict[int, Window]:
        """The windows that can be read, by the image's number."""
        found: dict[int, Window] = {}
        for place in self._index.blocks:
            try:
                block = self._read(place)[0]
            except Refused:
                continue
            found |= dict(enumerate(block.windows or (), place.first))
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

    def _listed_numbers(self, name: str) -> list[int]:
        return [first + number for table, first in self._tables() for number in table.numbers(name)]

    def _tables(self) -> Iterator[tuple[NamesTable, int]]:
        """Each segment's table and its first image."""
        require(not self._index.scanned, "BadField", "a segment without an index may have names")
        for span in self._index.names:
            place = span.place
            end = place.start + place.size - CHECK_BYTES  # no damage to the record's frame matters
            body = self._data[end - table_bytes(place.entries, span.images) : end]
            yield NamesTable(body, place.entries, place.page_hashes, span.images), span.first

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
        key = (place.start, place.first)
        if key not in self._blocks:
            record = self._record(self._standing(place) or place)
            start = Start.of(record)
            require((start.first, start.images) == (place.first, place.images), "BadField", "a block of other images")
            model = self._model(start.model)
            self._blocks[key] = read_block(record, model.fingerprint, (model.height, model.width))
        block = self._blocks[key]
        return block, self._model(block.start.model)

    def _standing(self, place: BlockPlace) -> BlockPlace | None:
        """Where the whole block of these images stands: here, or elsewhere in the file; None if nowhere."""
        if self._numbers_of_whole(place) == (place.first, place.images):
            return place
        return self._whole_blocks().get((place.first, place.images))

    def _whole_blocks(self) -> dict[tuple[int, int], BlockPlace]:
        """The file's whole blocks by their first image and number of images."""
        if self._found is None:
            fingerprints = {number: model.fingerprint for number, model in self._index.models.items()}
            self._found = {}
            for start, record, fingerprint in scan(self._data, 0, len(self._data), set(fingerprints.values())).blocks:
                if fingerprints.get(start.model) == fingerprint:
                    place = BlockPlace(record.start, record.end - record.start, start.first, start.images)
                    self._found.setdefault((start.first, start.images), place)
        return self._found

    def _numbers_of_whole(self, place: BlockPlace) -> tuple[int, int] | None:
        """First image and number of images of the block that stands here, if its check matches."""
        try:
            record = self._record(place)
            start = Start.of(record)
            require_block_check(record, self._place_of_model(start.model).fingerprint)
        except Refused:
            return None
        return start.first, start.images

    def _read_names(self, place: BlockPlace) -> list[str] | None:
        """Names have a check of their own: damage to the images, or to the record's length, loses none."""
        place = self._standing(place) or place
        numbers = self._numbers_of_whole(place)
        require(numbers in {None, (place.first, place.images)}, "BadField", "a block of other images")
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
