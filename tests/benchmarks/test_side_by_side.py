"""Two checkouts side by side: the tasks run in processes of their own, and an interval decides or does not."""

import json

import numpy as np
import pytest

from benchmarks import side_by_side
from benchmarks.measuring.machine import RESULTS, ROOT
from benchmarks.side_by_side import BASELINE_TASK, DECOMPRESS_TASK, Side, Worker, bar_of, in_turn, judge
from vaecodec.data import load_dataset


def test_a_bar_is_decided_by_its_interval():
    assert bar_of("x", [1.0, 1.01, 0.99] * 5, [1.0] * 15, 1.05).verdict == "holds"
    assert bar_of("x", [1.2, 1.21, 1.19] * 5, [1.0] * 15, 1.05).verdict == "MISSED"
    undecided = bar_of("x", [0.9, 1.04, 1.2] * 5, [1.0] * 15, 1.05)
    assert undecided.verdict == "not decided"
    assert undecided.interval[0] < undecided.quotient < undecided.interval[1]


def test_a_drift_that_slows_both_sides_alike_leaves_the_quotient_alone():
    drift = np.linspace(1, 3, 15)
    bar = bar_of("x", 1.02 * drift, drift, 1.05)
    assert bar.quotient == pytest.approx(1.02)
    assert bar.interval == pytest.approx((1.02, 1.02))


def test_both_start_ups_are_judged_by_the_baseline_and_every_task_by_the_old_one():
    times = {
        name: {BASELINE_TASK: [1.0, 1.0], DECOMPRESS_TASK: [2.0, 2.0], "archive read": [5.0, 5.0]}
        for name in ("old", "new")
    }
    bars = judge(times)
    assert [(bar.quotient, bar.most) for bar in bars] == [(1.0, 1.05), (1.0, 1.05), (2.0, 2.3), (2.0, 2.3)]
    assert all(bar.verdict == "holds" for bar in bars)


def test_rounds_take_turns():
    assert [in_turn(number, ["old", "new"])[0] for number in range(3)] == ["new", "old", "new"]


def test_a_checkout_answers_for_every_task(request, tmp_path):
    data_dir = request.path.parents[1] / "fixtures" / "data"
    np.save(tmp_path / "images.npy", load_dataset("mnist", "test", data_dir=data_dir).images[:6])
    side = Side(ROOT, tmp_path / "here")
    assert len(side.commit()["commit"]) == 40
    worker = Worker(side, tmp_path / "images.npy")
    try:
        tasks = worker.tasks()
        assert tasks == [
            "compress_batch",
            "decompress_batch",
            "lossless compress_batch",
            "lossless decompress_batch",
            "archive create",
            "archive read",
        ]
        assert all(seconds > 0 for task in tasks for seconds in worker.seconds(task))
    finally:
        worker.close()
    assert worker.process.returncode == 0


def test_a_worker_that_fails_is_not_waited_for(tmp_path):
    worker = Worker(Side(ROOT, tmp_path / "here"), tmp_path / "absent.npy")
    with pytest.raises(ChildProcessError, match="ended with 1"):
        worker.tasks()
    worker.close()


def test_the_stored_result_says_which_commits_it_compares():
    result = json.loads((RESULTS / "side-by-side.json").read_text(encoding="utf-8"))
    assert set(result["commits"]) == {"old", "new"}
    assert {bar["verdict"] for bar in result["bars"]} <= {"holds", "MISSED", "not decided"}
    assert result["images"] == side_by_side.IMAGES
