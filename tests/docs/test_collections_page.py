"""The examples of docs/collections.md run, in their order."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import vaecodec
from benchmarks.measuring.machine import RESULTS
from tests.docs.test_integrations_page import ROOT
from vaecodec.data import load_dataset

GOLDEN = Path(ROOT) / "tests" / "golden" / "v1"
PAGE = ROOT / "docs" / "collections.md"
PARTS = re.findall(r"^## (\w[^\n]*)\n.*?```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL | re.M)
NEEDS = {
    "A DataLoader": ["torch"],
    "dask": ["dask"],
    "Parquet": ["pyarrow"],
    "Hugging Face datasets": ["datasets"],
    "LMDB": ["lmdb"],
}
DIGITS = load_dataset("mnist", "test", data_dir=ROOT / "tests" / "fixtures" / "data").images


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.mark.parametrize(("title", "code"), PARTS, ids=[title for title, _ in PARTS])
def test_an_example_of_the_page_runs(folder, monkeypatch, title, code, tmp_path_factory):
    for package in NEEDS.get(title, ()):
        pytest.importorskip(package)
    models = tmp_path_factory.mktemp("models")
    for name in ("tiny", "exact"):
        (models / f"{name}.vaem").write_bytes((GOLDEN / f"{name}.vaem").read_bytes())
    monkeypatch.setenv("VAECODEC_MODELS", str(models))
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.mktemp("hf")))
    monkeypatch.chdir(folder)
    given = {"vaecodec": vaecodec, "np": np, "images": DIGITS, "labels": np.arange(len(DIGITS)) % 10}
    text = code.replace('"mnist"', '"tiny"').replace('"mnist-lossless"', '"exact"')
    exec(compile(text, str(PAGE), "exec"), {"__name__": "example", **given})


def test_the_page_has_each_kind_of_collection():
    assert [title for title, _ in PARTS] == [
        "A file of arrays",
        "A DataLoader",
        "dask",
        "Parquet",
        "Hugging Face datasets",
        "WebDataset",
        "LMDB",
    ]


def test_an_archive_of_the_page_is_what_the_arrays_were(folder):
    with vaecodec.Archive(folder / "digits.vaea", model=GOLDEN / "tiny.vaem") as archive:
        assert archive.labels.tolist() == (np.arange(len(DIGITS)) % 10).tolist()
    with vaecodec.Archive(folder / "exact.vaea", model=GOLDEN / "exact.vaem") as archive:
        assert np.array_equal(np.asarray(archive), DIGITS[:64])


def test_the_pages_table_is_the_stored_results():
    containers = pytest.importorskip("benchmarks.containers")
    result = json.loads((RESULTS / "containers.json").read_text("utf-8"))
    assert f"{containers.BEGIN}{containers.table(result)}{containers.END}" in PAGE.read_text("utf-8")
