"""The model cards: of each released model what its file and its record say, between the markers of its page.

vaecodec/zoo/aliases.json ──> models ──headers, zoo/NAME.json, results/photographs-kodak.json──> docs/models/NAME.md

What a model is for, its data's licence and its limits are written by hand around the block.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring.machine import RESULTS, ROOT
from benchmarks.measuring.photo_codecs import OURS, WEBP
from benchmarks.pages.markdown import markdown
from benchmarks.pages.page import Result, read, replace_block
from vaecodec.modelfile.installed import InstalledModel, installed_models

CARDS = ROOT / "docs" / "models"
MARKERS = ("<!-- card:begin -->", "<!-- card:end -->")
CURVE_HEAD = ("level", "β", "file, bytes", "PSNR, dB", "MS-SSIM", "training images: file, bytes", "their PSNR, dB")
PHOTOGRAPH_HEAD = ("level", "file, bytes", "bits a pixel", "PSNR, mean of images, dB", "MS-SSIM")


class NoRecord(ValueError):
    """A released model without stored figures, or those of another file."""


def pages(results: Path = RESULTS) -> dict[Path, str]:
    """Page → its text, of every model that an alias stands for. Raises NoRecord, NoBlock, OSError."""
    found = {}
    for model in installed_models():
        if model.aliases:
            page = CARDS / f"{model.name}.md"
            found[page] = replace_block(page.read_text(encoding="utf-8"), card(model, results), MARKERS)
    return found


def card(model: InstalledModel, results: Path) -> str:
    """What is made of the model's file and figures."""
    if model.summary.is_photograph:
        place = results / "photographs-kodak.json"
        result = read(place)
        check(model, result and result["model"], place)
        return "\n\n".join([file_table(model), *photograph_figures(result or {})])
    place = model.path.with_suffix(".json")
    record = read(place)
    check(model, record, place)
    return "\n\n".join([file_table(model), *figures(record or {})])


def check(model: InstalledModel, measured: Mapping[str, Any] | None, place: Path) -> None:
    """Raises NoRecord where the figures are not of this file."""
    if measured is None or measured["fingerprint"] != model.summary.fingerprint.hex():
        raise NoRecord(f"{place}: expected figures of {model.name}, {model.summary.fingerprint.hex()}")


def file_table(model: InstalledModel) -> str:
    """What the file is, and what its parts were trained on."""
    summary, betas = model.summary, model.summary.betas
    images = "any size, RGB or grey" if summary.is_photograph else f"{summary.height}×{summary.width}, 8-bit grey"
    rows = [
        ("aliases", ", ".join(f"`{alias}`" for alias in model.aliases)),
        ("family", summary.family),
        ("images", images),
        ("levels", f"{len(betas)}, β from {betas[0]:.4g} to {betas[-1]:.4g}"),
        ("exact files", "yes" if summary.has_lossless else "no"),
        ("model file", f"{model.path.stat().st_size:,} bytes"),
        ("fingerprint", f"`{summary.fingerprint.hex()}`"),
    ]
    if not summary.is_photograph:
        rows.append(("levels trained", training(summary.about)))
    if summary.has_lossless:
        rows.append(("exact part trained", training(summary.about["lossless"])))
    return markdown(("", ""), rows).replace("---:", "---")


def training(about: Mapping[str, Any]) -> str:
    """On what, how long and towards what, as the model file says."""
    data, config = about["data"], about["config"]
    objective, optimiser = config["objective"], config["optimiser"]
    return (
        f"{config['name']}: {data['images']:,} images ({data['source']}; SHA-256 of the pixels "
        f"{data['sha256'][:16]}…), {optimiser['steps']:,} steps of {optimiser['batch_size']} images, "
        f"{objective['likelihood']} distortion, seed {config['seed']}"
    )


def figures(record: Result) -> list[str]:
    """The curve on the test set beside training images, and exact files."""
    test, exact = record["test"], record.get("lossless")
    parts = [
        f"Levels over {test['images']:,} test images ({test['source']}), bytes of whole files, beside training images:",
        markdown(CURVE_HEAD, [curve_row(level) for level in record["levels"]]),
    ]
    if exact is not None:
        parts.append(
            f"Exact files: {exact['test']['bytes']:.1f} bytes a test image ({exact['train']['bytes']:.1f} a training "
            f"image), {exact['test']['largest_bytes']} at most. Where a level's files would be as large, `compress` "
            "writes the exact one."
        )
    whole = test["bytes_with_model_over"]
    shared = "; ".join(f"{whole[count]:,.0f} over {int(count):,} images" for count in sorted(whole, key=int))
    parts.append(f"Bytes an image at the default level, {test['level']}, the model file shared: {shared}.")
    return parts


def curve_row(level: Mapping[str, Any]) -> Sequence[str]:
    """One level."""
    tested, trained = level["test"], level["train"]
    return (
        str(level["level"]),
        f"{level['beta']:.4g}",
        f"{tested['file_bytes']:.1f}",
        f"{tested['psnr_db']:.2f}",
        f"{tested['ms_ssim']:.4f}",
        f"{trained['file_bytes']:.1f}",
        f"{trained['psnr_db']:.2f}",
    )


def photograph_figures(result: Result) -> list[str]:
    """The curve on photographs that nothing was chosen on, and how many bytes WebP takes for the same."""
    data, ours = result["data"], result["curves"][OURS]
    rate = result["of_ours"][WEBP]["mean_image_psnr"]
    return [
        f"Levels over {data['source']}, whole files:",
        markdown(PHOTOGRAPH_HEAD, [photograph_row(point) for point in ours]),
        f"Bytes against {WEBP} at equal PSNR: {rate['rate_per_cent']:+.1f} % from {rate['from_db']:.1f} to "
        f"{rate['to_db']:.1f} dB (Bjøntegaard rate).".replace("-", "−"),
    ]


def photograph_row(point: Mapping[str, Any]) -> Sequence[str]:
    """One level."""
    return (
        point["setting"].removeprefix("level "),
        f"{point['file_bytes']:,.0f}",
        f"{point['file_bpp']:.3f}",
        f"{point['mean_image_psnr_db']:.2f}",
        f"{point['ms_ssim']:.4f}",
    )
