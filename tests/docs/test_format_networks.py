"""docs/format.md, sections 10 and 11, against the code: operations, their fields, sections and the fingerprint."""

import hashlib
import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from vaecodec.bitstream.limits import MAX_LEVEL, MAX_MODEL_SIDE
from vaecodec.exact.operations import OPS
from vaecodec.exact.stored_form import MAX_NUMBER
from vaecodec.modelfile.model import read_model

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
NETWORKS = TEXT[TEXT.index("## 11. ") : TEXT.index("## 12. ")]
MODEL_FILE = TEXT[TEXT.index("## 10. ") : TEXT.index("## 11. ")]
FILES = [ROOT / "tests" / "golden" / "v1" / name for name in ("tiny.vaem", "mini.vaem")]
ROW = r"^\| `(\w+)` \| (\d) \| ?([\w, ]*?) ?\| ?([\w, ]*?) ?\|"


def header(path: Path) -> dict:
    data = path.read_bytes()
    return json.loads(data[46 : 46 + int.from_bytes(data[10:14], "little")])


def test_the_pages_operations_are_the_codes_with_the_same_fields() -> None:
    rows = re.findall(ROW, NETWORKS, re.MULTILINE)
    page = {name: {f.strip() for f in f"{arrays},{numbers}".split(",")} - {""} for name, _, arrays, numbers in rows}
    code = {name: {field.name for field in fields(op)} - {"sources"} for name, op in OPS.items()}
    assert page == code
    assert {name: int(count) for name, count, _, _ in rows} == {
        name: 2 if name in ("add", "multiply") else 1 for name in OPS
    }


def test_every_operation_has_its_shapes_and_its_bound() -> None:
    for name in OPS:
        assert re.search(rf"^- (`\w+`, )*`{name}`", NETWORKS, re.MULTILINE), name
        assert len(re.findall(rf"^\| .*`{name}`.* \|", NETWORKS, re.MULTILINE)) >= 2, name


def test_numbers_of_the_page_are_the_codes() -> None:
    assert f"1 to {MAX_MODEL_SIDE} each" in MODEL_FILE
    assert f"1 to {MAX_LEVEL + 1}," in MODEL_FILE
    assert MAX_NUMBER == 1 << 31
    assert "within ±2^31" in NETWORKS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_file_holds_the_sections_of_the_page_and_no_others(path: Path) -> None:
    names = re.findall(r"^\| `((?:de|en)code/[\w./]+)`", MODEL_FILE, re.MULTILINE)
    patterns = [name.replace("/K/", r"/\d+/").replace("P/FIELD", r"\d+/\w+") for name in names]
    found = [section["name"] for section in header(path)["sections"]]
    for name in found:
        assert any(re.fullmatch(pattern, name) for pattern in patterns), name
    for pattern in patterns:
        assert any(re.fullmatch(pattern, name) for name in found), pattern


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_fingerprint_is_computed_from_the_header_as_the_page_says(path: Path) -> None:
    parsed = header(path)
    listed = [[s["name"], s["sha256"]] for s in parsed["sections"] if s["name"].startswith("decode/")]
    text = json.dumps([parsed["meta"]["decode"], listed], separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    assert hashlib.sha256(text.encode()).digest() == read_model(path).fingerprint


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_known_answer_is_hashed_as_the_page_says(path: Path) -> None:
    model, answer = read_model(path), header(path)["meta"]["decode"]["known_answer"]
    for key, rows in (("one", 1), ("all", 64)):
        values = model.synthesis(model.known_answer.symbols[:rows])
        assert hashlib.sha256(np.asarray(values, "<i4").tobytes()).hexdigest() == answer[key]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_header_has_the_keys_of_the_page(path: Path) -> None:
    meta = header(path)["meta"]
    assert set(meta) == {"decode", "encode", "about"}
    assert set(meta["decode"]) == {"height", "width", "levels", "synthesis", "known_answer"}
    assert set(meta["encode"]) == {"betas"}
    assert {"name", "family"} <= set(meta["about"])
    assert len(meta["encode"]["betas"]) == meta["decode"]["levels"]
