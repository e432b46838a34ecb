"""Rows of a table in which codecs stand beside each other: the released models, PCA, and the classical ones.

results/rate-distortion-DATA.json, classical-DATA.json --compare_rows--> rows
"""

from collections.abc import Sequence

from benchmarks.pages.page import Result

POINT_HEAD = ("", "file, bytes", "bpp", "payload", "information", "PSNR, dB", "MS-SSIM")


def compare_rows(result: Result, classical: Result) -> list[Sequence[str]]:
    """Released models, PCA at no more bytes, and the classical codecs at their smallest and lossless."""
    rows = [point_row(f"**{model['name']}**", model["point"]) for model in result["zoo"]]
    for model in result["zoo"][:1]:
        affordable = [e["point"] for e in result["pca"] if e["point"]["file_bytes"] <= model["point"]["file_bytes"]]
        if affordable:
            best = min(affordable, key=lambda point: float(point["mse"]))
            rows.append(point_row(f"PCA, {best['setting']}", best))
    curves = {curve["codec"]: curve["points"] for curve in classical["curves"]}
    whole = result["data"]["images"]
    for name in ("WebP", "JPEG XL", "JPEG", "JPEG 2000", "AVIF"):
        lossy = [point for point in curves.get(name, []) if point["psnr_db"] is not None]
        if lossy:
            smallest = min(lossy, key=lambda point: float(point["file_bytes"]))
            rows.append(
                point_row(f"{name} at its smallest ({smallest['setting']}){_images(smallest, whole)}", smallest)
            )
    for name in ("JPEG XL", "WebP", "PNG"):
        exact = [point for point in curves.get(name, []) if point["psnr_db"] is None]
        if exact:
            least = min(exact, key=lambda point: float(point["file_bytes"]))
            rows.append(point_row(f"{name}, lossless{_images(least, whole)}", least))
    return rows


def _images(point: Result, whole: int) -> str:
    """How many images a point was measured over, where that is not the whole set."""
    return "" if point["images"] == whole else f", over {point['images']:,} images"


def point_row(name: str, point: Result) -> Sequence[str]:
    """One codec at one setting."""
    information = point["information_bytes"]
    return (
        name,
        f"{point['file_bytes']:.1f}",
        f"{point['file_bpp']:.3f}",
        f"{point['payload_bytes']:.1f}",
        "" if information is None else f"{information:.1f}",
        "exact" if point["psnr_db"] is None else f"{point['psnr_db']:.2f}",
        f"{point['ms_ssim']:.4f} ({point['ms_ssim_scales']} scales)",
    )
