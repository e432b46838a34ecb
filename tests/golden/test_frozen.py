"""The golden files of a version are frozen: none is changed, and none goes."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from frozen import found, listed, write  # noqa: E402


@pytest.mark.parametrize("version", ["v1", "v2", "v3"])
def test_golden_files_are_those_that_the_list_has(version: str) -> None:
    assert found(HERE / version) == listed(HERE / version)


def test_a_golden_file_that_is_there_is_never_written_anew(tmp_path: Path) -> None:
    write(tmp_path / "a.bin", b"one")
    write(tmp_path / "a.bin", b"one")
    with pytest.raises(SystemExit, match="frozen"):
        write(tmp_path / "a.bin", b"two")
    assert (tmp_path / "a.bin").read_bytes() == b"one"
