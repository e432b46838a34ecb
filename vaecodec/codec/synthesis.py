"""Synthesis: symbols to pixels, by an exact network whose arithmetic is proven on this machine before it is used.

symbols (b, n), level ─┬─ few ──> the network as it is ─────────────────────┐
                       └─ many ─> its plan for the level (exact/plan.py) ───┴──> pixels, the same both ways

Many are more than 64 images at once, or one after the other: to make a plan takes as long as some hundred images do,
so that a command that decompresses one picture makes none.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.arrays import Pixels, Symbols
from vaecodec.errors import KnownAnswerMismatch
from vaecodec.exact.known_answer import KNOWN_ANSWER_BATCH, Proof, sha256_of
from vaecodec.exact.network import MOST_BATCH_ELEMENTS
from vaecodec.exact.operations import Array
from vaecodec.modelfile.model import Model

if TYPE_CHECKING:
    from vaecodec.exact.plan import PlanMaker

MOST_ROWS = 512  # images at once: where matrix products reach their speed
MOST_ELEMENTS = 1 << 20  # of the network's largest value, all images together: so that it stays in the cache
MAX_PLANS = 16  # levels whose plans are kept, each some 100 KB to MB
PLAN_AFTER = (
    128  # images of a level, few at a time, before its plan is made: it takes 30 to 60 ms and saves half of each
)


class Synthesis:
    """The synthesis of one model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._proof = Proof(model.known_answer, self._digests, model=model.name)
        self._plans: dict[int, Callable[[Symbols], Array]] = {}
        self._made: Counter[int] = Counter()  # images of each level that were made without a plan

    def __call__(self, symbols: Symbols, level: int) -> Pixels:
        """Images (b, h, w) or (b, h, w, 3) of symbols (b, n); those of collapsed latents count as the tables say.

        Raises KnownAnswerMismatch.
        """
        count = len(symbols)
        if self._takes_plans and (count > KNOWN_ANSWER_BATCH or self._is_planned(level, count)):
            return self._pixels(
                self._plan(level), symbols, self._few_rows if count <= self._few_rows else self.many_rows
            )
        inputs = self.input(self._model.levels[level].tables.fill_collapsed(symbols), level)
        return self._pixels(self._model.synthesis, inputs, self._few_rows)

    @property
    def _takes_plans(self) -> bool:
        """Whether pictures are so small that many are made at once."""
        return self._few_rows == KNOWN_ANSWER_BATCH

    def _is_planned(self, level: int, count: int) -> bool:
        """Whether the plan of a level is there or worth making, for a few images more."""
        self._made[level] += count
        return level in self._plans or self._made[level] - count >= PLAN_AFTER

    def _pixels(self, network: Callable[[Symbols], Array], inputs: Symbols, rows: int) -> Pixels:
        """What a network gives for inputs, so many rows at once; a plan takes what is coded from symbols, no more."""
        parts = []
        for first in range(0, len(inputs), rows):
            part = inputs[first : first + rows]
            self._proof.before(len(part), many=max(rows, KNOWN_ANSWER_BATCH))
            values = network(part)
            parts.append((values[..., 0] if self._model.channels == 1 else values).astype(np.uint8))
        return np.concatenate(parts) if parts else np.empty((0, *self._model.shape), np.uint8)

    def input(self, symbols: Symbols, level: int) -> Symbols:
        """What the network takes: symbols (b, n), and the level after them where the model conditions on it."""
        if not self._model.level_is_input:
            return symbols
        return np.column_stack([symbols, np.full(len(symbols), level, np.int32)])

    @cached_property
    def _maker(self) -> PlanMaker:
        from vaecodec.exact.plan import PlanMaker  # here: few images need no plan, and need not wait for it

        return PlanMaker(self._model.synthesis)

    @cached_property
    def _few_rows(self) -> int:
        """Images of a small batch: 64, or fewer where pictures are so large that these would take too much memory."""
        return max(1, min(KNOWN_ANSWER_BATCH, MOST_BATCH_ELEMENTS // math.prod(self._model.shape)))

    @cached_property
    def many_rows(self) -> int:
        """Images of a large batch: a multiple of the known answer's."""
        largest = max(math.prod(value.shape) for value in self._model.synthesis.ranges())
        rows = min(MOST_ROWS, MOST_ELEMENTS // largest)
        return max(1, rows // KNOWN_ANSWER_BATCH) * KNOWN_ANSWER_BATCH

    def _plan(self, level: int) -> Callable[[Symbols], Array]:
        """The plan of a level; compared with the network itself, on the known answer's symbols, before it is used."""
        plan = self._plans.get(level)
        if plan is None:
            from vaecodec.exact.plan import KnownInputs

            tables = self._model.levels[level].tables
            known = self.input(np.where(tables.coded, 0, tables.offsets)[None], level)[0]
            chosen = np.ones(len(known), np.bool_)
            chosen[: tables.n] = ~tables.coded
            sample = np.where(chosen, known, self._model.known_answer.symbols)
            plan = self._maker.plan(KnownInputs(chosen, known))
            if any(not np.array_equal(plan(few), self._model.synthesis(few)) for few in (sample, sample[:1])):
                raise KnownAnswerMismatch(
                    f"{self._model.name}: this machine's arithmetic is not exact at level {level}"
                )
            for old in list(self._plans)[: max(0, len(self._plans) - MAX_PLANS + 1)]:
                self._plans.pop(old, None)
                self._made[old] = 0
            self._plans[level] = plan
        return plan

    def _digests(self, inputs: Symbols) -> list[str]:
        """In as large batches as decoding: a large picture of a hostile file is no reason to hold 64 of them."""
        rows = min(len(inputs), self._few_rows if len(inputs) <= KNOWN_ANSWER_BATCH else len(inputs))
        if rows == len(inputs):
            values = self._model.synthesis(inputs)
            return [sha256_of(values[k : k + KNOWN_ANSWER_BATCH]) for k in range(0, len(inputs), KNOWN_ANSWER_BATCH)]
        digest = hashlib.sha256()
        for first in range(0, len(inputs), rows):
            digest.update(self._model.synthesis(inputs[first : first + rows]).astype("<i4").tobytes())
        return [digest.hexdigest()]
