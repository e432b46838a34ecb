"""--model, or the model that vaecodec.codec.choice finds, and what to advise where there is none."""

from __future__ import annotations

from vaecodec.codec.choice import Advice, Choice
from vaecodec.codec.codec import Codec, load

ADVICE = Advice(
    image="Choose one by --model, or train one on images of this size: vaecodec train FOLDER",
    stream="Get its model file, then: vaecodec models add FILE (for good) or --model FILE (once)",
)


def codec_for_image(shape: tuple[int, ...], model: str | None, *, exact: bool = False) -> Codec:
    """The codec of --model, or of the alias for images of this shape, (h, w) or (h, w, 3). As Choice.for_image."""
    return Codecs(model, exact=exact).for_image(shape)


def codec_for_stream(data: bytes, model: str | None) -> Codec:
    """The codec of --model, if any, or of the installed model that the stream was made with. As Choice.for_stream."""
    return Codecs(model).for_stream(data)


class Codecs(Choice):
    """The codecs of many images or streams, each made once. model: of --model, for all of them."""

    def __init__(self, model: str | None, *, exact: bool = False) -> None:
        super().__init__(ADVICE, given=None if model is None else load(model), exact=exact)
