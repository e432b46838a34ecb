"""The sampler: each image once an epoch, each block by one worker, as many batches on every rank."""

from itertools import chain

import numpy as np
import pytest

pytest.importorskip("torch")

import vaecodec
from vaecodec.errors import ConfigError
from vaecodec.integrations.torch_sampler import BlockSampler


@pytest.fixture
def archive(archive_path):
    """40 images in 5 blocks of 8."""
    return vaecodec.Archive(archive_path)


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_each_image_comes_once(archive, workers, batch_size):
    sampler = BlockSampler(archive, batch_size, workers=workers)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(chain(*batches)) == list(range(40))


def test_a_block_goes_to_one_worker(archive):
    """Of three, of which each has its batches in turn, until the one that has a block less is done."""
    batches = list(BlockSampler(archive, 4, workers=3, mix_blocks=1))
    workers = {}
    for k, batch in enumerate(batches[:6]):
        for number in batch:
            workers.setdefault(number // 8, set()).add(k % 3)
    assert all(len(one) == 1 for one in workers.values())


def test_ranks_share_the_blocks_and_have_as_many_batches(archive):
    samplers = [BlockSampler(archive, 4, rank=rank, ranks=3, workers=2) for rank in range(3)]
    ranks = [list(sampler) for sampler in samplers]
    assert {len(batches) for batches in ranks} == {len(samplers[0])}
    assert set(chain(*chain(*ranks))) == set(range(40))
    owners = {}
    for rank, batches in enumerate(ranks):
        for number in chain(*batches):
            owners.setdefault(number // 8, set()).add(rank)
    assert all(len(one) == 1 for one in owners.values())


def test_epochs_differ_and_a_seed_gives_the_same_again(archive):
    sampler = BlockSampler(archive, 8, seed=1)
    first = list(sampler)
    assert list(sampler) == first
    sampler.set_epoch(1)
    assert list(sampler) != first
    assert list(BlockSampler(archive, 8, seed=2)) != first


def test_the_last_batch_may_be_left_out(archive):
    sampler = BlockSampler(archive, 7, drop_last=True)
    assert [len(batch) for batch in sampler] == [7] * 5
    assert len(sampler) == 5


def test_an_empty_archive_has_no_batch(tmp_path, codec):
    with vaecodec.ArchiveWriter.create(tmp_path / "none.vaea", codec):
        pass
    sampler = BlockSampler(vaecodec.Archive(tmp_path / "none.vaea"), 8)
    assert (list(sampler), len(sampler)) == ([], 0)


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"rank": 2, "ranks": 2}, {"workers": -1}, {"mix_blocks": 0}])
def test_what_makes_no_sense_is_refused(archive, wrong):
    with pytest.raises(ConfigError):
        BlockSampler(archive, **{"batch_size": 8, **wrong})


def test_blocks_are_those_of_the_archive(archive):
    blocks = archive.blocks
    assert (blocks.firsts.tolist(), blocks.counts.tolist()) == ([0, 8, 16, 24, 32], [8] * 5)
    assert np.array_equal(blocks.shards, np.zeros(5))
