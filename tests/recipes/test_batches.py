"""Batches: a function of seed and step, a partition of each epoch, shared out among processes."""

import numpy as np
import pytest
import torch

from vaecodec.errors import ConfigError
from vaecodec.recipes.batches import Batches, all_over, stream_seed

IMAGES = np.random.default_rng(0).integers(0, 256, (50, 6, 6)).astype(np.uint8)


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    first, second = Batches(IMAGES, 8, 3, shift_pixels=2), Batches(IMAGES, 8, 3, shift_pixels=2)
    in_order = [first[step] for step in range(20)]
    for step in reversed(range(20)):
        assert torch.equal(second[step], in_order[step])
    assert not torch.equal(Batches(IMAGES, 8, 4)[0], Batches(IMAGES, 8, 3)[0])


@pytest.mark.parametrize("size", [1, 8, 25, 50])
def test_an_epoch_takes_no_image_twice_and_as_many_as_whole_batches_hold(size: int) -> None:
    batches, per_epoch = Batches(IMAGES, size, 0), 50 // size
    orders = []
    for epoch in range(3):
        chosen = np.concatenate([batches.chosen(epoch * per_epoch + k) for k in range(per_epoch)])
        assert len(set(chosen.tolist())) == per_epoch * size
        orders.append(chosen.tolist())
    assert size == 50 or orders[0] != orders[1]


@pytest.mark.parametrize("world", [2, 3])
def test_processes_share_out_every_batch(world: int) -> None:
    whole = Batches(IMAGES, 12, 5)
    ranks = [Batches(IMAGES, 12, 5, rank=rank, world=world) for rank in range(world)]
    for step in range(9):
        shares = [part.chosen(step) for part in ranks]
        assert sorted(np.concatenate(shares)) == sorted(whole.chosen(step))
        assert len({len(share) for share in shares}) == 1


def test_a_batch_that_leaves_a_process_without_an_image_is_refused() -> None:
    assert len(Batches(IMAGES, 3, 0, rank=2, world=3)[0]) == 1
    with pytest.raises(ConfigError, match="2 images for 3 processes"):
        Batches(IMAGES, 2, 0, rank=0, world=3)
    with pytest.raises(ConfigError, match="50 images for 51 processes"):
        Batches(IMAGES, 1000, 0, rank=0, world=51)


def test_pixels_are_scaled_to_one_and_a_batch_is_never_larger_than_the_set() -> None:
    batch = Batches(IMAGES, 1000, 0)[7]
    assert batch.shape == (50, 6, 6)
    assert batch.dtype == torch.float32
    chosen = Batches(IMAGES, 1000, 0).chosen(7)
    np.testing.assert_array_equal(batch, IMAGES[chosen].astype(np.float32) / 255)


def test_shifts_move_by_at_most_the_reach_and_fill_with_zeros() -> None:
    image = np.zeros((1, 9, 9), np.uint8)
    image[0, 4, 4] = 255
    batches = Batches(image, 1, 0, shift_pixels=2)
    places = {tuple(int(v) for v in batches[step][0].nonzero()[0]) for step in range(300)}
    assert places == {(y, x) for y in range(2, 7) for x in range(2, 7)}
    assert all(float(batches[step].sum()) == 1 for step in range(10))


def test_images_are_in_place_from_the_step_on_that_ends_the_shifts() -> None:
    in_place, shifted = Batches(IMAGES, 8, 3), Batches(IMAGES, 8, 3, shift_pixels=2)
    batches = Batches(IMAGES, 8, 3, shift_pixels=2, shifted_steps=5)
    for step in range(9):
        assert torch.equal(batches[step], (shifted if step < 5 else in_place)[step])
        assert not torch.equal(shifted[step], in_place[step])


def test_random_streams_of_a_seed_differ() -> None:
    assert len({stream_seed(*key) for key in ((1, 0, 0), (2, 0, 0), (1, 0, 1), (1, 1, 0), (3, 0, 0), (0, 0, 0))}) == 6
    assert 0 <= stream_seed(1, 2) < 2**63


def test_numbers_from_all_over_a_set_meet_its_ends_and_are_no_more_than_it_has():
    assert all_over(9, 3).tolist() == [0, 4, 8]
    assert all_over(2, 5).tolist() == [0, 1]
    assert all_over(1, 1).tolist() == [0]
