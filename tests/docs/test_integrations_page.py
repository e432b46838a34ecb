"""The examples of docs/integrations.md run, in their order."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "golden" / "v1" / "tiny.vaem"
PARTS = re.findall(
    r"^## (\w[^\n]*)\n.*?```python\n(.*?)```", (ROOT / "docs" / "integrations.md").read_text("utf-8"), re.DOTALL | re.M
)
NEEDS = {"torch": "torch", "Zarr": "zarr", "fsspec": "fsspec", "Ray": "ray", "dask": "dask"}
SLOW = ("Ray",)  # which takes seconds to start
EXAMPLES = [
    pytest.param(title, code, id=title, marks=[pytest.mark.slow] if title in SLOW else []) for title, code in PARTS
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("page")


@pytest.mark.parametrize(("title", "code"), EXAMPLES)
def test_an_example_of_the_page_runs(folder, monkeypatch, title, code, tmp_path_factory):
    if title in NEEDS:
        pytest.importorskip(NEEDS[title])
    models = tmp_path_factory.mktemp("models")
    (models / "golden-tiny-1.vaem").write_bytes(TINY.read_bytes())
    monkeypatch.setenv("VAECODEC_MODELS", str(models))
    monkeypatch.chdir(folder)
    if title != PARTS[0][0] and not (folder / "digits.vaea").exists():
        run(PARTS[0][1])
    run(code)


def run(code):
    """The page's `mnist` is the tiny model here."""
    exec(compile(code.replace('"mnist"', '"golden-tiny-1"'), "docs/integrations.md", "exec"), {"__name__": "example"})


def test_each_integration_is_on_the_page():
    text = (ROOT / "docs" / "integrations.md").read_text("utf-8")
    modules = {path.stem for path in (ROOT / "vaecodec" / "integrations").glob("*.py")} - {"__init__"}
    assert {name for name in modules if f"vaecodec.integrations.{name}" not in text} == set()
