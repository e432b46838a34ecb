"""A decode order and the one loop that drives it, for training, encoding, decoding and estimates of the rate.

order ──yields the prior of group 0──> answer(0, prior) ──sends what the group is──> order ──yields that of group 1 …
                                                                                      ──at its end returns a result
"""

from collections.abc import Callable, Generator
from typing import TypeVar

Prior = TypeVar("Prior")
Group = TypeVar("Group")
Result = TypeVar("Result")


def follow(order: Generator[Prior, Group, Result], answer: Callable[[int, Prior], Group]) -> Result:
    """Drive an order of one group or more to its end, and give its result. answer(number, prior): what the group is."""
    prior, number = next(order), 0
    while True:
        group = answer(number, prior)
        try:
            prior = order.send(group)
        except StopIteration as end:
            result: Result = end.value
            return result
        number += 1
