"""The decode order, written once: encoder, decoder and estimates of the rate drive the same generator.

decode_order(count) ──yields the tables of group 0, for each of `count` images──> driver ──sends the symbols──> …
                    ──yields the tables of group 1 …                                       (count, size)

A payload holds one image (a stream) or many, image after image (a block of an archive).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.cores import one_blas_thread
from vaecodec.entropy.coder import SymbolDecoder, SymbolEncoder
from vaecodec.entropy.tables import CodingTables, Float64, Int32
from vaecodec.errors import KnownAnswerMismatch
from vaecodec.exact.known_answer import KNOWN_ANSWER_BATCH
from vaecodec.modelfile.priors import ConditionalPriors, Engine, by_numpy, conditional_answer, rows_of

if TYPE_CHECKING:
    from vaecodec.modelfile.model import Model

Prior = Sequence[CodingTables]  # of one group, for each image
Order = Generator[Prior, Int32, None]


class GroupCoder:
    """Codes the symbols of a model with conditional priors, whose arithmetic is proven before it is used.

    Every method that evaluates networks raises KnownAnswerMismatch.
    """

    def __init__(self, model: Model, engine: Engine = by_numpy) -> None:
        assert model.priors is not None
        self._name, self._priors, self._engine = model.name, model.priors, engine
        tables = model.levels[0].tables
        self._own = [rows_of(tables, place) for place in model.priors.places]
        self._latents = tables.n
        self._proven: set[int] = set()

    @property
    def priors(self) -> ConditionalPriors:
        """The model's."""
        return self._priors

    def order(self, count: int) -> Order:
        """Yields the tables of each group for each of `count` images, and is sent their symbols (count, size)."""
        self._prove(count)
        known = yield [self._own[0]] * count
        for group, network in enumerate(self._priors.networks, start=1):
            told = self._engine(network, known)
            symbols = yield self._priors.tables(group, told, self._own[group])
            known = np.concatenate([known, symbols], axis=1)

    def encode(self, symbols: Int32) -> list[bytes]:
        """The payload of each row of symbols (b, n)."""
        encoders = [SymbolEncoder() for _ in symbols]

        def code(place: slice, prior: Prior) -> Int32:
            for encoder, row, tables in zip(encoders, symbols[:, place], prior, strict=True):
                encoder.encode(np.ascontiguousarray(row), tables)
            return symbols[:, place]

        self._follow(len(symbols), code)
        return [encoder.finish() for encoder in encoders]

    def decode(self, payloads: Sequence[bytes]) -> Int32:
        """Symbols (b, n) of payloads of one image each. Raises FormatError's children."""
        decoders = [SymbolDecoder(payload) for payload in payloads]
        symbols = np.empty((len(payloads), self._latents), np.int32)

        def code(place: slice, prior: Prior) -> Int32:
            for k, (decoder, tables) in enumerate(zip(decoders, prior, strict=True)):
                symbols[k, place] = decoder.decode(tables)
            return symbols[:, place]

        self._follow(len(payloads), code)
        for decoder in decoders:
            decoder.finish()
        return symbols

    def encode_onto(self, encoder: SymbolEncoder, symbols: Int32) -> None:
        """Append symbols (b, n), image after image."""
        groups: list[tuple[slice, Prior]] = []

        def keep(place: slice, prior: Prior) -> Int32:
            groups.append((place, prior))
            return symbols[:, place]

        self._follow(len(symbols), keep)
        for k, row in enumerate(symbols):
            for place, prior in groups:
                encoder.encode(np.ascontiguousarray(row[place]), prior[k])

    def decode_from(self, decoder: SymbolDecoder) -> Int32:
        """The symbols (n,) of the next image. Raises FormatError's children."""
        symbols = np.empty((1, self._latents), np.int32)

        def code(place: slice, prior: Prior) -> Int32:
            symbols[0, place] = decoder.decode(prior[0])
            return symbols[:, place]

        self._follow(1, code)
        row: Int32 = symbols[0]
        return row

    def symbol_bits(self, symbols: Int32) -> Float64:
        """-log2 P of each symbol (b, n), given the groups before."""
        bits = np.empty(symbols.shape)

        def look(place: slice, prior: Prior) -> Int32:
            for k, tables in enumerate(prior):
                bits[k, place] = tables.symbol_bits(symbols[k : k + 1, place])[0]
            return symbols[:, place]

        self._follow(len(symbols), look)
        return bits

    def _follow(self, count: int, symbols_of: Callable[[slice, Prior], Int32]) -> None:
        """Drive the order to its end; symbols_of says the symbols of each group."""
        if not count:
            return
        with one_blas_thread():  # whose threads would otherwise wait, busily, between the networks' turns
            order = self.order(count)
            prior = next(order)
            places = self._priors.places
            for place in places[:-1]:
                prior = order.send(np.ascontiguousarray(symbols_of(place, prior)))
            symbols_of(places[-1], prior)

    def _prove(self, count: int) -> None:
        """Compare with the known answer before the first use of one image, and of a batch."""
        answer, wanted = self._priors.known_answer, 1 if count == 1 else KNOWN_ANSWER_BATCH
        if wanted in self._proven:
            return
        expected = answer.sha256_one if wanted == 1 else answer.sha256_all
        if conditional_answer(self._priors.networks, answer.symbols[:wanted], self._engine) != expected:
            raise KnownAnswerMismatch(
                f"{self._name}: at batch size {wanted} this machine's arithmetic does not give the known answer of the "
                "conditional priors; symbols would be wrong"
            )
        self._proven.add(wanted)
