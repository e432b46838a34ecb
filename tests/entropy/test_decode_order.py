"""A decode order is driven to its end: each group is asked for once, in order, and the result is what it returns."""

from collections.abc import Generator

import pytest

from vaecodec.entropy.decode_order import follow


def order(groups: int) -> Generator[str, int, int]:
    total = 0
    for number in range(groups):
        total += yield f"prior {number} after {total}"
    return total


@pytest.mark.parametrize("groups", [1, 2, 5])
def test_every_group_is_answered_given_those_before(groups: int) -> None:
    asked = []

    def answer(number: int, prior: str) -> int:
        asked.append((number, prior))
        return 10**number

    assert follow(order(groups), answer) == sum(10**k for k in range(groups))
    assert asked == [(k, f"prior {k} after {sum(10**j for j in range(k))}") for k in range(groups)]


def test_what_an_answer_raises_comes_out() -> None:
    def answer(number: int, prior: str) -> int:
        raise LookupError(prior)

    with pytest.raises(LookupError, match="prior 0 after 0"):
        follow(order(2), answer)
