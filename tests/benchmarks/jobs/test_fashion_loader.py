"""The job of a torch user: IDX files to an archive, and epochs out of it."""

import json
from pathlib import Path

import pytest

jobs = pytest.importorskip("benchmarks.jobs.fashion_loader")

TESTS = Path(__file__).parents[2]
DIGITS = TESTS / "fixtures" / "data" / "mnist" / "t10k-images-idx3-ubyte.gz"


@pytest.mark.parametrize(("model", "code"), [("exact", 0), ("tiny", 1)])
def test_epochs_have_each_picture_once_and_a_model_of_other_pictures_is_found_out(tmp_path, model, code):
    out = tmp_path / "job.json"
    arguments = ["--idx", str(DIGITS), "--model", str(TESTS / "golden" / "v1" / f"{model}.vaem"), "--out", str(out)]
    assert jobs.main([*arguments, "--workers", "0"]) == code
    result = json.loads(out.read_text("utf-8"))
    assert [one["holds"] for one in result["epochs"]] == [True, True]
    assert result["holds"] is (code == 0)
