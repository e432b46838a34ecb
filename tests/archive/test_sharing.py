"""One archive, many readers: threads, forked and spawned processes, and pickling."""

import multiprocessing
import pickle
import threading
from pathlib import Path

import numpy as np
import pytest

import vaecodec

CODEC = vaecodec.load(Path(__file__).parents[1] / "golden" / "v1" / "tiny.vaem")


def pictures(n):
    """Noise, uint8 (n, 28, 28)."""
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28), dtype=np.uint8)


def decoded(images):
    return CODEC.lossy.synthesise(CODEC.lossy.analyse(images))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.vaea"


def create(path, images, **options):
    with vaecodec.ArchiveWriter.create(path, CODEC, **options) as writer:
        writer.add_batch(images)


def _sum_of(archive, numbers, queue):
    queue.put(int(archive.batch(numbers).sum()))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_share_an_open_archive(path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    images = pictures(130)
    create(path, images)
    archive, expected = vaecodec.Archive(path, model=CODEC), decoded(images)
    archive[0]
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    parts = [list(range(k, 130, 4)) for k in range(4 if method == "fork" else 1)]
    children = [context.Process(target=_sum_of, args=(archive, numbers, queue)) for numbers in parts]
    for child in children:
        child.start()
    sums = [queue.get(timeout=100) for _ in children]
    for child in children:
        child.join()
    assert sorted(sums) == sorted(int(expected[numbers].sum()) for numbers in parts)


def test_threads_share_an_open_archive(path):
    images = pictures(200)
    create(path, images, block_images=16)
    archive, expected, wrong = vaecodec.Archive(path, model=CODEC, cache_bytes=400), decoded(images), []

    def read(seed):
        for k in np.random.default_rng(seed).integers(0, 200, 50):
            if not np.array_equal(archive[int(k)], expected[k]):
                wrong.append(k)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert np.array_equal(pickle.loads(pickle.dumps(archive))[3], expected[3])
