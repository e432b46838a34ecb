"""Ray: shards of the same bytes, and data sets of images and streams. Starting Ray takes seconds, so these are slow."""

import os
import signal

import numpy as np
import pytest

ray = pytest.importorskip("ray")

import vaecodec  # noqa: E402
from tests.sharding.test_run import contents, made  # noqa: E402
from vaecodec.integrations.ray import RayEngine, compress_dataset, read_archive  # noqa: E402
from vaecodec.sharding.run import run  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Of one core, on this machine."""
    ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def test_shards_are_those_of_any_engine(planned, tmp_path):
    made(*planned(tmp_path / "here"))
    folder, plan = planned(tmp_path / "there")
    outcome = run(folder, plan, lambda: RayEngine(folder.address, plan.id), report=lambda *_: None)
    assert outcome.manifest is not None
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_a_worker_that_dies_is_an_attempt(planned, tmp_path, monkeypatch):
    folder, plan = planned(tmp_path)

    def killed(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    engine = RayEngine(folder.address, plan.id)
    engine._task = ray.remote(num_cpus=1, max_retries=0)(killed)
    engine.submit(2)
    done = None
    while done is None:
        done = engine.next_done(10)
    assert (done.shard, done.record, done.again) == (2, None, True)
    assert "died" in done.error
    engine.close()


def test_a_data_set_of_images_becomes_one_of_streams(codec, images):
    pytest.importorskip("pyarrow", exc_type=ImportError)
    dataset = ray.data.from_items([{"image": image, "row": k} for k, image in enumerate(images[:20])])
    rows = sorted(
        compress_dataset(dataset, codec, concurrency=1, batch_images=8).take_all(), key=lambda row: row["row"]
    )
    assert [row["stream"] for row in rows] == codec.compress_batch(images[:20])


def test_an_archive_becomes_a_data_set(tmp_path, images, pixels, codec):
    pytest.importorskip("pyarrow", exc_type=ImportError)
    archive_path = tmp_path / "a.vaea"
    with vaecodec.ArchiveWriter.create(archive_path, codec, block_images=8) as writer:
        writer.add_batch(images, [f"{k}.png" for k in range(40)], range(100, 140))
    rows = sorted(read_archive(archive_path, model=codec, concurrency=1).take_all(), key=lambda row: row["number"])
    assert [row["name"] for row in rows] == [f"{k}.png" for k in range(40)]
    assert [row["label"] for row in rows] == list(range(100, 140))
    assert np.array_equal(np.stack([row["image"] for row in rows]), pixels)


def test_shards_become_a_data_set(planned, tmp_path, codec, pixels):
    pytest.importorskip("pyarrow", exc_type=ImportError)
    made(*planned(tmp_path))
    rows = sorted(read_archive(tmp_path, model=codec, concurrency=1).take_all(), key=lambda row: row["number"])
    assert np.array_equal(np.stack([row["image"] for row in rows]), pixels)
    assert len(vaecodec.Archive(tmp_path)) == len(rows)


def test_a_node_that_leaves_costs_its_shards_a_second_try(planned, tmp_path):
    from ray.cluster_utils import Cluster

    made(*planned(tmp_path / "undisturbed", shards=8))
    folder, plan = planned(tmp_path / "out", shards=8)
    ray.shutdown()  # what the tests before had; this one is the last
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    leaving = nodes.add_node(num_cpus=1)
    gone = []

    def take_one_away(progress, done):
        if progress.made >= 2 and not gone:
            gone.append(nodes.remove_node(leaving, allow_graceful=False))

    try:
        ray.init(address=nodes.address, log_to_driver=False)
        engine = RayEngine(folder.address, plan.id)
        assert engine.workers == 2
        outcome = run(folder, plan, lambda: engine, retries=5, report=take_one_away)
        assert gone
        assert outcome.manifest is not None
    finally:
        ray.shutdown()
        nodes.shutdown()
    assert contents(tmp_path / "out") == contents(tmp_path / "undisturbed")
