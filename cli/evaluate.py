"""vaecodec evaluate: what a model's files cost and keep over a whole set of images, from real streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .files import print_json
from .options import data_options, model_option, parse_size, parse_target, quiet_option, target_options
from .progress import Progress

if TYPE_CHECKING:
    from vaecodec.codec.codec import Codec
    from vaecodec.codec.target import Target
    from vaecodec.data import ImageSet
    from vaecodec.evaluation import RatePoint

CHUNK_IMAGES = 512
AMORTISED_OVER = (1_000, 10_000, 100_000)


@click.command()
@model_option("The model.", required=True)
@click.option("-d", "--data", required=True, metavar="DATA", help="mnist, dsprites, or a folder of images.")
@click.option("--split", type=click.Choice(("train", "validation", "test")), help="Which part.  [default: test]")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N images.")
@data_options
@target_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@quiet_option
def command(
    model: str,
    data: str,
    split: str | None,
    limit: int | None,
    data_dir: str | None,
    resize: str | None,
    grey: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Compress and decompress every image of DATA, and print rate and distortion.

    Rates are means over the images: whole files, payload, and the model's information content. "PSNR" is from the mean
    MSE over the set. A photograph model takes every picture of a folder, of whatever size.
    """
    from vaecodec.codec.codec import Codec, load
    from vaecodec.data import load_dataset

    from .images import check_grey

    codec, target = load(model), parse_target(options)
    if not isinstance(codec, Codec):
        from .evaluate_pictures import evaluate_pictures, lines, refuse_options

        refuse_options(split, resize, grey)
        measured = evaluate_pictures(codec, data, limit, target)
        if as_json:
            print_json(measured)
        else:
            click.echo("\n".join(lines(measured)))
        return
    images = load_dataset(data, split or "test", data_dir=data_dir, resize=parse_size(resize), grey=grey)
    if codec.channels == 1:
        check_grey(images)
    point = measure(codec, images, limit or len(images), target)
    found = report(codec, images, point)
    if as_json:
        print_json(found)
    else:
        _print(found)


def measure(codec: Codec, images: ImageSet, count: int, target: Target) -> RatePoint:
    """The rate and distortion of the first `count` images. Raises ImageError, TargetMissed."""
    import numpy as np

    from vaecodec.codec.stream_report import report_streams
    from vaecodec.errors import ImageSizeError
    from vaecodec.evaluation import measure_point

    originals = images.images[:count]
    if codec.channels > 1 and originals.ndim == 3:  # grey pictures for a model of colour
        originals = np.repeat(originals[..., None], codec.channels, axis=3)
    decoded, file_sizes, payload_sizes, bits = [], [], [], []
    progress = Progress(quiet=False)
    for start in range(0, len(originals), CHUNK_IMAGES):
        streams = codec.compress_batch(originals[start : start + CHUNK_IMAGES], target=target)
        reports = report_streams(codec, streams)
        decoded += codec.decompress_batch(streams)
        file_sizes += [len(stream) for stream in streams]
        payload_sizes += [len(found.stream.payload) for found in reports]
        bits += [found.information_bits for found in reports]
        if progress.due():
            progress.draw(f"{len(bits)} of {len(originals)} images{progress.left(len(bits), len(originals))}")
    progress.clear()
    try:
        return measure_point(
            codec.model.name,
            _setting(codec, target),
            originals,
            np.stack(decoded),
            file_sizes=file_sizes,
            payload_sizes=payload_sizes,
            information_bits=bits,
        )
    except ValueError as error:  # MS-SSIM is not defined for sides below 11 pixels
        raise ImageSizeError(f"{images.name}: {error}") from error


def _setting(codec: Codec, target: Target) -> str:
    from vaecodec.codec.target import AIMS

    error = target.exact_error(codec.model)
    if error is not None:
        return f"max_error {error}" if error else "lossless"
    level, effort = target.fixed_level(codec.model), f", effort {target.effort}" * bool(target.effort)
    if level is not None:
        return f"β {codec.model.levels[level].beta:g}{effort}"
    name, value = next((name, value) for name in AIMS if (value := getattr(target, name)) is not None)
    return f"{name} {value:g}{effort}"


def report(codec: Codec, images: ImageSet, point: RatePoint) -> dict[str, Any]:
    """Rate, distortion, and what they were measured on and with, for JSON."""
    from vaecodec.modelfile.model import pack_model

    model_bytes = len(pack_model(codec.model))
    return {
        "model": codec.model.name,
        "fingerprint": codec.fingerprint.hex(),
        "data": images.name,
        "split": images.split,
        "source": images.source,
        "data_sha256": images.sha256,
        **{key: value for key, value in point.to_dict().items() if key != "codec"},
        "exact": point.lossless,  # where psnr_db is null
        "ms_ssim_db": None if point.ms_ssim >= 1 else point.ms_ssim_db,
        "model_file_bytes": model_bytes,
        "file_bytes_with_model": {str(n): point.file_bytes + model_bytes / n for n in AMORTISED_OVER},
    }


def _print(found: dict[str, Any]) -> None:
    def decibels(value: float | None) -> str:
        return "exact" if value is None else f"{value:.2f} dB"

    amortised = ", ".join(f"{size:.1f} over {int(n):,}" for n, size in found["file_bytes_with_model"].items())
    for label, text in (
        ("model", f"{found['model']} ({found['setting']}), {found['model_file_bytes']} bytes"),
        ("data", f"{found['data']} {found['split']}, {found['images']} images ({found['source']})"),
        ("file", f"{found['file_bytes']:.2f} bytes, {found['file_bpp']:.4f} bits per pixel"),
        ("payload", f"{found['payload_bytes']:.2f} bytes"),
        ("information content", f"{found['information_bytes']:.2f} bytes"),
        ("file with the model", f"{amortised} images"),
        ("PSNR", f"{decibels(found['psnr_db'])} (from the mean MSE)"),
        ("mean per-image PSNR", decibels(found["mean_image_psnr_db"])),
        ("MS-SSIM", f"{found['ms_ssim']:.4f}, {decibels(found['ms_ssim_db'])} ({found['ms_ssim_scales']} scales)"),
    ):
        click.echo(f"{label:<22}{text}")
