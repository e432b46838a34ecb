"""The reading test: the way of an image through the package is short, and leads on from file to file.

Followed is Codec.compress(image) as it runs: every file of vaecodec/codec/, and every file that one of these calls, its
room's door; what lies behind a door is that room's matter. Reading a property of a record is no step. A file is entered
when it is called by another, and again where a third has been called in between.
"""

import sys
from itertools import groupby
from pathlib import Path
from types import CodeType, FrameType

import numpy as np
import pytest

import vaecodec
from vaecodec.codec.codec import Codec

TESTS = Path(__file__).parents[1]
PACKAGE = Path(vaecodec.__file__).parent
ROOM = "codec/"
MOST_FILES = 8
ARCHITECTURE = (TESTS.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
DIGIT = np.zeros((28, 28), np.uint8)
DIGIT[5:20, 8:14] = 200


def properties() -> set[CodeType]:
    """The code of every property of the package's classes that are loaded."""
    found = set()
    for name, module in list(sys.modules.items()):
        if name.startswith("vaecodec."):
            for owner in [value for value in vars(module).values() if isinstance(value, type)]:
                for value in vars(owner).values():
                    getter = getattr(value, "fget", None) or getattr(value, "func", None)
                    if getter is not None and hasattr(getter, "__code__"):
                        found.add(getter.__code__)
    return found


def calls(codec: Codec) -> list[tuple[str, str]]:
    """(the caller's file, the file) of every call between files while an image is compressed, below vaecodec/."""
    codec.compress(DIGIT)  # what is read and made once is there
    skipped, found = properties(), []

    def file_of(frame: FrameType | None) -> str:
        while frame is not None and not frame.f_code.co_filename.startswith(f"{PACKAGE}/"):
            frame = frame.f_back
        return "" if frame is None else Path(frame.f_code.co_filename).relative_to(PACKAGE).as_posix()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or not frame.f_code.co_filename.startswith(f"{PACKAGE}/"):
            return
        above: FrameType | None = frame
        while above is not None:
            if above.f_code in skipped:
                return
            above = above.f_back
        if file_of(frame.f_back) != file_of(frame):
            found.append((file_of(frame.f_back), file_of(frame)))

    sys.setprofile(note)
    try:
        codec.compress(DIGIT)
    finally:
        sys.setprofile(None)
    return found


@pytest.fixture(scope="module")
def way() -> list[str]:
    """The files of the room and the doors, in the order in which they are entered."""
    codec = vaecodec.load(TESTS / "golden" / "v1" / "levels.vaem")
    steps = [file for caller, file in calls(codec) if not caller or caller.startswith(ROOM)]
    return [file for file, _ in groupby(steps)]


def test_from_compress_to_bytes_are_few_files_and_each_is_entered_once(way: list[str]) -> None:
    assert way[0] == "codec/codec.py"
    assert len(way) == len(set(way)), way
    assert len(way) <= MOST_FILES, way


def test_the_page_lists_the_files_of_the_way(way: list[str]) -> None:
    listed = [line.split("`")[1] for line in ARCHITECTURE.splitlines() if line[:1].isdigit() and "`" in line]
    assert listed == [f"vaecodec/{file}" for file in way]


def test_what_lies_behind_the_doors_is_listed_too(way: list[str]) -> None:
    codec = vaecodec.load(TESTS / "golden" / "v1" / "levels.vaem")
    for file in {file for _, file in calls(codec)} - set(way):
        assert f"`vaecodec/{file}`" in ARCHITECTURE, file
