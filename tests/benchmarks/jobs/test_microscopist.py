"""The microscopist's job meets its bars on a few crops."""

import json

from benchmarks.jobs.microscopist import main


def test_the_job_meets_its_bars(tmp_path):
    out = tmp_path / "result.json"
    assert main(["--crops", "3", "--work", str(tmp_path / "work"), "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["crops"] == 3
    assert 0 < found["largest_error_of_allowed"] <= 1
    assert found["provenance"]["seed"] is not None
