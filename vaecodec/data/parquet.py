"""Parquet: tables of image files and labels, as Hugging Face and others write them.

    column `image` {bytes, path} or binary ──> the bytes of an image file each, their names    column `label` ──> int64

A row group is read when the first of its images is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, overload

import numpy as np

from vaecodec.data.array_images import ImageTable, checked_labels
from vaecodec.errors import BadDataset, ConfigError

LABELS = ("label", "labels", "target", "y")


class ParquetImages(Sequence[bytes]):
    """The bytes of the image file of each row. Raises BadDataset where one is empty, or the file is damaged."""

    def __init__(self, file: Any, column: str, nested: bool, path: Path) -> None:
        self._file, self._column, self._nested, self._path = file, column, nested, path
        counts = [file.metadata.row_group(k).num_rows for k in range(file.metadata.num_row_groups)]
        self._ends = np.cumsum(np.array(counts, np.int64), dtype=np.int64)
        self._group = -1
        self._rows: list[bytes | None] = []

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @overload
    def __getitem__(self, number: int) -> bytes: ...
    @overload
    def __getitem__(self, number: slice) -> list[bytes]: ...
    def __getitem__(self, number: int | slice) -> bytes | list[bytes]:
        if isinstance(number, slice):
            return [self[k] for k in range(*number.indices(len(self)))]
        place = range(len(self))[number]
        group = int(np.searchsorted(self._ends, place, side="right"))
        if group != self._group:
            self._rows, self._group = self._read(group), group
        found = self._rows[place - (int(self._ends[group - 1]) if group else 0)]
        if not found:
            raise BadDataset(f"{self._path}: row {place} of column {self._column} holds no image")
        return found

    def _read(self, group: int) -> list[bytes | None]:
        column = f"{self._column}.bytes" if self._nested else self._column
        try:
            rows = self._file.read_row_group(group, columns=[column])[self._column].to_pylist()
        except (OSError, ValueError) as error:
            raise BadDataset(f"{self._path}: row group {group} cannot be read: {error}") from error
        return [None if row is None else row["bytes"] for row in rows] if self._nested else rows


def open_parquet(path: Path, key: str | None) -> ImageTable:
    """The images of a column: of the key, else of the only one that can hold them; labels, where a column is so called.

    Raises BadDataset, ConfigError.
    """
    parquet, types = package("pyarrow.parquet", path), package("pyarrow.types", path)
    try:
        file = parquet.ParquetFile(path)
        schema = file.schema_arrow
    except (OSError, ValueError) as error:
        raise BadDataset(f"{path}: not a whole Parquet file: {error}") from error
    fitting = [field.name for field in schema if _is_binary(types, field.type) or _is_nested(types, field.type)]
    column = fitting[0] if key is None and len(fitting) == 1 else key
    if column is None or column not in fitting:
        there = ", ".join(f"{field.name} ({field.type})" for field in schema)
        wanted = "one column of images" if key is None else f"images in the column {key!r}"
        raise BadDataset(f"{path}: expected {wanted} (binary, or with a field `bytes`), found {there}")
    nested = _is_nested(types, schema.field(column).type)
    images = ParquetImages(file, column, nested, path)
    names = None
    if nested and "path" in [child.name for child in schema.field(column).type]:
        found = [row["path"] for row in file.read(columns=[f"{column}.path"])[column].to_pylist()]
        names = found if all(found) else None
    labels = next((name for name in LABELS if name in schema.names), None)
    if labels is None:
        return ImageTable(column, images, None, names)
    values = np.asarray(file.read(columns=[labels])[labels].to_pylist())
    return ImageTable(column, images, checked_labels(values, len(images), f"{path}: {labels}"), names)


def _is_binary(types: Any, kind: Any) -> bool:
    return bool(types.is_binary(kind) or types.is_large_binary(kind))


def _is_nested(types: Any, kind: Any) -> bool:
    """Whether this is a record with a field `bytes`, as Hugging Face's images are."""
    return bool(types.is_struct(kind)) and any(f.name == "bytes" and _is_binary(types, f.type) for f in kind)


def package(name: str, path: Path) -> Any:
    """A package of the extra `arrays`. Raises ConfigError where it is not installed."""
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(f"{path}: reading it needs {name}: pip install 'vaecodec[arrays]'") from error
