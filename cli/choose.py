"""--model, or the model that vaecodec.codec.choice finds, and what to advise where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vaecodec.codec.choice import Advice, Choice
from vaecodec.codec.codec import Codec, load
from vaecodec.codec.special import special_picture
from vaecodec.codec.windows_of_streams import window_of

if TYPE_CHECKING:
    from vaecodec.codec.codec import AnyCodec
    from vaecodec.codec.picture import Picture

ADVICE = Advice(
    image="Choose one by --model, or train one on images of this size: vaecodec train FOLDER",
    stream="Get its model file, then: vaecodec models add FILE (for good) or --model FILE (once)",
)


class Codecs(Choice):
    """The codecs of many images or streams, each made once. model: of --model, for all of them."""

    def __init__(self, model: str | None, *, exact: bool = False) -> None:
        super().__init__(ADVICE, given=None if model is None else load(model), exact=exact)


def decoded(codec: AnyCodec, streams: Sequence[bytes]) -> list[Picture]:
    """The pictures of a codec's streams. Raises FormatError's children, ModelMismatch."""
    if isinstance(codec, Codec):
        images = codec.decompress_batch(streams)
        return [special_picture(pixels, window_of(data)) for pixels, data in zip(images, streams, strict=True)]
    return [codec.decompress_picture(data) for data in streams]
