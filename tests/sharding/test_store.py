"""Shards in a store that speaks S3: what writing, going on and reading ask of it, and what it may refuse."""

import numpy as np
import pytest

pytest.importorskip("moto")
pytest.importorskip("s3fs")

import vaecodec
from benchmarks.measuring.store import Store
from tests.sharding.test_run import made
from vaecodec.archive.folder import open_folder
from vaecodec.errors import OutputError
from vaecodec.sharding.lease import hold
from vaecodec.sharding.sources import pieces_of


@pytest.fixture(scope="module")
def store():
    with Store() as started:
        yield started


def test_shards_in_a_store_are_those_on_disk(store, planned, tmp_path, codec, pixels):
    made(*planned(tmp_path))
    address = f"{store.address}/same"
    made(*planned(address))
    folder = open_folder(address)
    assert {name: folder.read(name) for name in folder.sizes()} == {
        path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.startswith(".")
    }
    assert np.array_equal(list(vaecodec.Archive(address, model=codec)), pixels)


def test_a_run_goes_on_where_it_ended(store, planned):
    folder, plan = planned(f"{store.address}/resumed")
    made(folder, plan, failing={3: 9}, retries=0)
    engine, outcome = made(folder, plan)
    assert engine.asked == [3]
    assert outcome.manifest is not None


def test_a_store_that_is_busy_is_asked_again(store, planned, codec, pixels):
    store.failing = 0.1
    try:
        folder, plan = planned(f"{store.address}/busy", shards=1)
        _, outcome = made(folder, plan)
        assert outcome.manifest is not None
        assert np.array_equal(vaecodec.Archive(f"{store.address}/busy", model=codec)[31], pixels[31])
    finally:
        store.failing = 0.0
    assert {"PUT 503", "GET 503", "HEAD 503"} & set(store.counts.requests)


def test_one_picture_is_one_request_by_number_and_two_by_name(store, planned, pictures, pixels, codec):
    address = f"{store.address}/requests"
    made(*planned(address, files=(str(pictures),), shards=5))
    archive = vaecodec.Archive(address, model=codec)
    before = store.counts.total
    assert np.array_equal(archive[13], pixels[13])
    assert store.counts.total - before == 1
    assert np.array_equal(archive["deep/19.png"], pixels[19])
    assert store.counts.total - before == 3


def test_one_coordinator_holds_the_lease(store):
    folder = open_folder(f"{store.address}/held")
    with hold(folder), pytest.raises(OutputError, match="another coordinator"), hold(folder):
        pass
    assert folder.sizes() == {}


def test_pictures_of_a_store_are_sources(store, planned, pictures, tmp_path, pixels, codec):
    for path in pictures.rglob("*.png"):
        open_folder(f"{store.address}/pictures").publish(str(path.relative_to(pictures)), path.read_bytes())
    made(*planned(tmp_path / "out", files=(f"{store.address}/pictures",), shards=2))
    with vaecodec.Archive(tmp_path / "out", model=codec) as archive:
        assert archive.names[15] == "deep/15.png"
        assert np.array_equal(list(archive), pixels[:20])
    assert len(list(pieces_of([f"{store.address}/pictures/deep"], data_dir=None, listed=list, on_linked=print))) == 10


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_an_epoch_reads_each_byte_once(store, planned, tmp_path, codec, workers):
    torch = pytest.importorskip("torch")
    from torch.utils.data import DataLoader

    from vaecodec.integrations.torch_dataset import ArchiveDataset
    from vaecodec.integrations.torch_sampler import BlockSampler

    noise = np.random.default_rng(1).integers(0, 256, (640, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "many.npz", images=noise, labels=np.arange(640))
    address = f"{store.address}/epoch-{workers}"
    made(*planned(address, files=(str(tmp_path / "many.npz"),), shards=5, block_images=16))
    archive = vaecodec.Archive(address, model=codec)
    sampler = BlockSampler(archive, 10, workers=workers, mix_blocks=4)
    loader = DataLoader(ArchiveDataset(archive), batch_sampler=sampler, num_workers=workers)
    archive[0]  # what is read once for the archive, its model among it, is there
    store.counts.sent_bytes = 0
    seen = torch.cat([labels for _, labels in loader])
    assert sorted(seen.tolist()) == list(range(640))
    assert seen.tolist() != list(range(640))
    blocks = archive.info().block_bytes
    assert blocks * 0.95 <= store.counts.sent_bytes <= 1.1 * blocks
