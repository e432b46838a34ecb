"""Sums of two products, of an ExactPlan: one product of both inputs side by side, the same integers in fewer passes.

    x ──dense──┐                                [x, y] ──dense──> rescaled
    y ──dense──┴─add──> rescaled       ──>

What a Rescale after the sum multiplies by, a power of two, moves into the weights. The network has proven the sum's
bound, and so that of every sum in between, in whatever order it is formed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np

from vaecodec.exact import steps as exact_steps
from vaecodec.exact.operations import Array
from vaecodec.exact.steps import Step


def join_sums(steps: list[Step]) -> list[Step]:
    """The steps, with every sum of two products that nothing else takes made one product."""
    for total in [step for step in steps if _is(step, exact_steps.of_two, np.add)]:
        place = steps.index(total)
        pair = _products(steps, place)
        if pair is not None:
            _join(steps, place, pair)
    return steps


def _products(steps: list[Step], place: int) -> tuple[int, int] | None:
    """Where the two products of a sum stand; None where it is another sum, or they cannot wait for it."""
    total = steps[place]
    taken_elsewhere = {source for step in steps if step is not total for source in step.sources}
    if len(set(total.sources)) < 2 or taken_elsewhere & set(total.sources):
        return None
    first, second = (_maker(steps[:place], source) for source in total.sources)
    if first is None or second is None:
        return None
    others = [step for k, step in enumerate(steps[:place]) if k > min(first, second) and k not in (first, second)]
    waited_for = {steps[first].sources[0], steps[second].sources[0]}
    if any(step.target in waited_for or waited_for & set(step.done) for step in others):
        return None
    return first, second


def _maker(steps: list[Step], value: int) -> int | None:
    """The step that makes a value, if it is a product."""
    number = max((k for k, step in enumerate(steps) if step.target == value), default=None)
    return number if number is not None and _is(steps[number], exact_steps.dense) else None


def _join(steps: list[Step], place: int, pair: tuple[int, int]) -> None:
    """Put the one product in the place of the sum, and take the two away."""
    total, a, b = (steps[number] for number in (place, *pair))
    weight = np.concatenate([_arguments(one)[0] for one in (a, b)], axis=1)
    biases = [bias for bias in (_arguments(one)[1] for one in (a, b)) if bias is not None]
    bias = sum(biases) if biases else None
    factor = _take_factor(steps, place)
    if factor is not None:
        weight, bias = weight * factor[:, None], None if bias is None else bias * factor
    product, done = partial(exact_steps.dense_of_two, weight, bias), {*a.done, *b.done}
    steps[place] = replace(total, sources=(*a.sources, *b.sources), compute=product, done=tuple(done), reuse=False)
    for number in sorted(pair, reverse=True):
        del steps[number]


def _take_factor(steps: list[Step], place: int) -> Array | None:
    """Take away the factor, (out,) or (1,), that the step after a sum multiplies by, for the weights to hold it.

    None where other steps take the sum too, or where the one that does is no rescaling.
    """
    takers = [k for k, step in enumerate(steps) if steps[place].target in step.sources]
    if len(takers) != 1 or not _is(steps[takers[0]], exact_steps.rescaled):
        return None
    factor, *others = _arguments(steps[takers[0]])
    steps[takers[0]] = replace(steps[takers[0]], compute=partial(exact_steps.rescaled, None, *others))
    return cast("Array | None", factor)


def _is(step: Step, function: object, *arguments: object) -> bool:
    compute = step.compute
    return isinstance(compute, partial) and compute.func is function and compute.args[: len(arguments)] == arguments


def _arguments(step: Step) -> tuple:  # type: ignore[type-arg]  # as many and of what kinds as the step's function takes
    assert isinstance(step.compute, partial)
    return step.compute.args
