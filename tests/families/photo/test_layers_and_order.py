"""The checkerboard and the decode order."""

from functools import partial

import torch

from tests.families.photo.tiny import TINY, tiny_model
from vaecodec.families.photo.layers import PerLevel, pick, place
from vaecodec.photo.order import Part, decode_order, drive


def zeros(channels, side=4, batch=1):
    return [torch.zeros(batch, c, side, side) for c in channels]


def test_both_colours_placed_again_are_the_whole():
    for height, width in ((1, 2), (3, 4), (4, 6)):
        x = torch.randn(2, 3, height, width)
        assert torch.equal(place(pick(x, 0), 0) + place(pick(x, 1), 1), x)


def test_a_colour_holds_the_positions_whose_sum_has_its_parity():
    rows, columns = torch.meshgrid(torch.arange(4), torch.arange(6), indexing="ij")
    sums = ((rows + columns) % 2).float()[None, None]
    assert torch.all(pick(sums, 0) == 0)
    assert torch.all(pick(sums, 1) == 1)


def test_a_level_between_two_anchors_has_the_value_between_theirs():
    per_level = PerLevel(3, 2)
    with torch.no_grad():
        per_level.value.copy_(torch.tensor([[0.0, 1.0], [2.0, 3.0], [10.0, 5.0]]))
    found = per_level(torch.tensor([0.5, 1.25, 2.0]))[:, :, 0, 0]
    assert torch.allclose(found, torch.tensor([[1.0, 2.0], [4.0, 3.5], [10.0, 5.0]]))


def test_the_order_has_one_pass_more_than_slices_and_tells_everything_once():
    seen = []

    def heads(number, parity, known):
        half = pick(torch.zeros_like(known[number]), parity)
        return Part(number, parity, half, half)

    order = decode_order(heads, zeros((2, 3, 1)), place)
    parts = next(order)
    try:
        while True:
            seen.append([(part.slice, part.parity) for part in parts])
            parts = order.send(tuple(torch.ones_like(part.mean) for part in parts))
    except StopIteration as stop:
        told = torch.cat(stop.value, 1)
    assert seen == [[(0, 0)], [(0, 1), (1, 0)], [(1, 1), (2, 0)], [(2, 1)]]
    assert torch.equal(told, torch.ones(1, 6, 4, 4))


def test_what_is_decoded_from_symbols_is_what_was_encoded():
    model = tiny_model()
    facts = torch.randn(2, TINY.hyper_widths[2], 4, 4)
    y = 3 * torch.randn(2, TINY.base_channels, 4, 4)
    heads = partial(model.base_heads.part, facts)
    written = []

    def encode(part):
        first = sum(TINY.base_slices[: part.slice])
        aim = pick(y[:, first : first + TINY.base_slices[part.slice]], part.parity)
        symbols = torch.round(aim - part.mean)
        written.append(symbols)
        return symbols + part.mean

    with torch.no_grad():
        encoded = torch.cat(drive(decode_order(heads, zeros(TINY.base_slices, 4, 2), place), encode), 1)
        read = iter(written)
        order = decode_order(heads, zeros(TINY.base_slices, 4, 2), place)
        decoded = torch.cat(drive(order, lambda part: next(read) + part.mean), 1)
    assert torch.equal(encoded, decoded)
    assert (encoded - y).abs().max() <= 0.5 + 1e-6


def test_a_part_does_not_depend_on_what_is_told_later():
    model = tiny_model()
    facts, level = torch.randn(1, TINY.detail_widths[0], 4, 4), torch.tensor([1.0])
    heads = partial(model.detail_heads.part, facts, level)

    def run(change_from):
        means, step = [], 0
        order = decode_order(heads, zeros(TINY.detail_slices), place)
        parts = next(order)
        try:
            while True:
                means.append([part.mean for part in parts])
                told = 1.0 if step < change_from else -2.0
                parts = order.send(tuple(torch.full_like(part.mean, told) for part in parts))
                step += 1
        except StopIteration:
            return means

    with torch.no_grad():
        whole, changed = run(9), run(1)
    assert all(torch.equal(a, b) for a, b in zip(whole[0] + whole[1], changed[0] + changed[1], strict=True))
    assert not torch.equal(whole[2][0], changed[2][0])
