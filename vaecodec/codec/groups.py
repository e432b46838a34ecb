"""Symbols in groups: encoder, decoder and estimates of the rate follow one order (vaecodec/entropy/decode_order.py).

order(count) ──yields the tables of group 0, for each of `count` images──> coder ──sends the symbols (count, size)──> …
             ──yields the tables of group 1 …

A payload holds one image (a stream) or many, image after image (a block of an archive).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vaecodec.arrays import Symbols
from vaecodec.cores import one_blas_thread
from vaecodec.entropy.coder import SymbolDecoder, SymbolEncoder
from vaecodec.entropy.decode_order import follow
from vaecodec.entropy.tables import CodingTables, Float64
from vaecodec.exact.known_answer import Proof
from vaecodec.exact.network import Engine, by_numpy
from vaecodec.modelfile.priors import ConditionalPriors, conditional_answer, rows_of

if TYPE_CHECKING:
    from vaecodec.modelfile.model import Model

Prior = Sequence[CodingTables]  # of one group, for each image
Order = Generator[Prior, Symbols, None]


class GroupCoder:
    """Codes the symbols of a model with conditional priors, whose arithmetic is proven before it is used.

    Every method that evaluates networks raises KnownAnswerMismatch.
    """

    def __init__(self, model: Model, engine: Engine = by_numpy) -> None:
        assert model.priors is not None
        self._priors, self._engine = model.priors, engine
        tables = model.levels[0].tables
        self._own = [rows_of(tables, place) for place in model.priors.places]
        self._latents = tables.n
        self._proof = Proof(
            model.priors.known_answer,
            lambda rows: [conditional_answer(self._priors.networks, rows, self._engine)],
            model=model.name,
            of=" of the conditional priors",
            at_risk="symbols",
        )

    @property
    def priors(self) -> ConditionalPriors:
        """The model's."""
        return self._priors

    def order(self, count: int) -> Order:
        """Yields the tables of each group for each of `count` images, and is sent their symbols (count, size)."""
        self._proof.before(count)
        known = [(yield [self._own[0]] * count)]
        for group, network in enumerate(self._priors.networks, start=1):
            told = self._engine(network, np.concatenate(known, axis=1))
            known.append((yield self._priors.tables(group, told, self._own[group])))

    def encode(self, symbols: Symbols) -> list[bytes]:
        """The payload of each row of symbols (b, n)."""
        encoders = [SymbolEncoder() for _ in symbols]

        def code(place: slice, prior: Prior) -> Symbols:
            for encoder, row, tables in zip(encoders, symbols[:, place], prior, strict=True):
                encoder.encode(np.ascontiguousarray(row), tables)
            return symbols[:, place]

        self._follow(len(symbols), code)
        return [encoder.finish() for encoder in encoders]

    def decode(self, payloads: Sequence[bytes]) -> Symbols:
        """Symbols (b, n) of payloads of one image each. Raises FormatError's children."""
        decoders = [SymbolDecoder(payload) for payload in payloads]
        symbols = np.empty((len(payloads), self._latents), np.int32)

        def code(place: slice, prior: Prior) -> Symbols:
            for k, (decoder, tables) in enumerate(zip(decoders, prior, strict=True)):
                symbols[k, place] = decoder.decode(tables)
            return symbols[:, place]

        self._follow(len(payloads), code)
        for decoder in decoders:
            decoder.finish()
        return symbols

    def encode_onto(self, encoder: SymbolEncoder, symbols: Symbols) -> None:
        """Append symbols (b, n), image after image."""
        groups: list[tuple[slice, Prior]] = []

        def keep(place: slice, prior: Prior) -> Symbols:
            groups.append((place, prior))
            return symbols[:, place]

        self._follow(len(symbols), keep)
        for k, row in enumerate(symbols):
            for place, prior in groups:
                encoder.encode(np.ascontiguousarray(row[place]), prior[k])

    def decode_from(self, decoder: SymbolDecoder) -> Symbols:
        """The symbols (n,) of the next image. Raises FormatError's children."""
        symbols = np.empty((1, self._latents), np.int32)

        def code(place: slice, prior: Prior) -> Symbols:
            symbols[0, place] = decoder.decode(prior[0])
            return symbols[:, place]

        self._follow(1, code)
        row: Symbols = symbols[0]
        return row

    def symbol_bits(self, symbols: Symbols) -> Float64:
        """-log2 P of each symbol (b, n), given the groups before."""
        bits = np.empty(symbols.shape)

        def look(place: slice, prior: Prior) -> Symbols:
            for k, tables in enumerate(prior):
                bits[k, place] = tables.symbol_bits(symbols[k : k + 1, place])[0]
            return symbols[:, place]

        self._follow(len(symbols), look)
        return bits

    def _follow(self, count: int, symbols_of: Callable[[slice, Prior], Symbols]) -> None:
        """Drive the order to its end; symbols_of says the symbols of each group."""
        if not count:
            return
        places = self._priors.places
        with one_blas_thread():  # whose threads would otherwise wait, busily, between the networks' turns
            follow(self.order(count), lambda group, prior: symbols_of(places[group], prior))
