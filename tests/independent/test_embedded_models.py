"""An archive that carries its model is read without another, and after the damage that the page promises to repair."""

from pathlib import Path
from random import Random

import pytest

from tests.independent.archives_by_the_page import plans, written
from tests.independent.model_file import Model
from tests.independent.program import Contents, archives_differ, decide_archive, golden_file, program_on_archive
from tests.independent.records import EMBEDDED, SYNC

# Of the record of the file of "bits": its head has 50 bytes, and then come 6 chunks of 4096.
DAMAGES = {
    "nothing": (0, 0),
    "a sync byte": (1, 1),
    "the kind": (2, 1),
    "the record's length": (4, 1),
    "the file's length": (7, 1),
    "a CRC-32": (12, 4),
    "every CRC-32": (10, 40),
    "all before the file": (0, 50),
    "a byte of the file": (5000, 1),
    "four chunks": (50, 16384),
    "a parity": (30000, 100),
}


@pytest.fixture
def _nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAECODEC_MODELS", str(tmp_path / "none"))


@pytest.mark.usefixtures("_nothing_installed")
@pytest.mark.parametrize("what", DAMAGES)
def test_an_archive_with_its_model_is_read_and_repaired(what: str, models: dict[str, Model], tmp_path: Path) -> None:
    parts = written(plans({"bits": (models["bits"], golden_file("bits"))}, Random(5)))
    place = next(place for place, part in enumerate(parts) if part[:3] == SYNC + bytes([EMBEDDED]))
    start, size = DAMAGES[what]
    part = bytearray(parts[place])
    part[start : start + size] = bytes(byte ^ 0xFF for byte in part[start : start + size])
    parts[place] = bytes(part)
    path = tmp_path / "archive.vaea"
    path.write_bytes(b"".join(parts))
    contents = decide_archive(path.read_bytes(), {})
    assert isinstance(contents, Contents)
    assert len(contents.images) == contents.length > 0
    assert contents.embedded == {0: golden_file("bits")}
    assert archives_differ(contents, program_on_archive(path, contents)) == ""
