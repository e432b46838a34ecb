"""The model of docs/scale.md: its table is what the code says, and its terms are what shards cost."""

from pathlib import Path

import pytest

from benchmarks.scale import NODES, Job, compared, row

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("nodes", NODES)
def test_the_pages_table_is_the_models(nodes):
    assert row(Job(), nodes).cells() in PAGE


def test_twice_the_workers_take_half_the_time_until_shards_are_few():
    job = Job(images=100_000, shard_images=1_000)
    assert job.making_s(10) == pytest.approx(2 * job.making_s(20))
    assert job.making_s(100) == job.making_s(1_000) == job.shard_s


def test_a_run_is_compared_with_what_one_worker_without_latency_does():
    runs = [
        {"workers": 1, "latency_s": 0.0, "engine_s": 10.0},
        {"workers": 2, "latency_s": 0.0, "engine_s": 5.5},
        {"workers": 4, "latency_s": 0.1, "engine_s": 9.0},
    ]
    found = list(compared({"images": 1_000, "shards": 10, "writing": runs}, cores=2))
    assert [one["model_s"] for one in found] == pytest.approx([10.0, 5.0, 5 * 1.3 + 10 * 2 * 0.1 / 16])
    assert found[1]["measured_of_model"] == pytest.approx(1.1)
