"""setuptools' build backend, whose wheels are deflated again: zlib's default settings leave 0.5 % of the models' bytes.

    wheel --setuptools--> .whl --each entry by zlib's strategies at level 9, the shortest--> .whl, the same entries

The format of the file is what it was, and RECORD's hashes, which are of contents, still hold.
"""

import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import (  # the hooks that stay as they are
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]
STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED)
RAW, MEMORY = -15, 9  # deflate without a header, as a zip has it; zlib's most memory


def build_wheel(
    wheel_directory: str, config_settings: Mapping[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """The hook of PEP 517: the wheel's name in the folder."""
    name: str = build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)
    deflate_again(os.path.join(wheel_directory, name))
    return name


def deflate_again(path: str) -> None:
    """Replace a zip file by one of the same entries, in the same order, each as short as zlib makes it."""
    made = f"{path}.tmp"
    with zipfile.ZipFile(path) as wheel, zipfile.ZipFile(made, "w") as lighter:
        for entry in wheel.infolist():
            content = wheel.read(entry)
            entry.compress_type, entry.file_size, entry.CRC = zipfile.ZIP_DEFLATED, len(content), zlib.crc32(content)
            deflated = min((_deflated(content, strategy) for strategy in STRATEGIES), key=len)
            _write(lighter, entry, deflated)
    os.replace(made, path)


def _deflated(content: bytes, strategy: int) -> bytes:
    compressor = zlib.compressobj(zlib.Z_BEST_COMPRESSION, zlib.DEFLATED, RAW, MEMORY, strategy)
    return compressor.compress(content) + compressor.flush()


def _write(file: zipfile.ZipFile, entry: zipfile.ZipInfo, deflated: bytes) -> None:
    """An entry whose content is deflated already, for which zipfile has no function."""
    assert file.fp is not None
    entry.compress_size, entry.header_offset, entry.flag_bits = len(deflated), file.fp.tell(), entry.flag_bits & ~8
    file.fp.write(entry.FileHeader())
    file.fp.write(deflated)
    file.filelist.append(entry)
    file.NameToInfo[entry.filename] = entry
    file.start_dir = file.fp.tell()
    file._didModify = True  # type: ignore[attr-defined]
