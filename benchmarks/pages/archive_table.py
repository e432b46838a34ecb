"""Archives in docs/results.md: bytes an image, one image, growth, a training epoch, each beside its bar.

results/archive.json ──render──> Markdown
"""

from benchmarks.pages.page import Result

MOST_READ_MS, MOST_OPENED_MS = 5.0, 50.0  # one image by number, from a block that was not decoded before; opening
AMONG = 60_000  # images of the archive that the one image is read from


def archive_lines(result: Result) -> list[str]:
    """What is promised of archives, a line each, with what was measured."""
    data, lines = result["data"]["name"], []
    for size in result["size"]:
        small, whole = ("holds" if size[name] else "does not" for name in ("small_at_its_psnr", "within_bar"))
        lines.append(
            f"{data}, an archive of {size['images']:,} with {result['model']}, level {size['level']}, effort "
            f"{size['effort']}: {size['file_bytes_per_image']:.2f} bytes an image at {size['psnr_db']:.2f} dB (at most "
            f"14.5 at 22.8 dB or more: {small}); at most 1.01 × information + 16 bytes a block: {whole}"
        )
    for one in result["scale"]:
        line = (
            f"{one['images']:,} procedural dSprites with {result['scale_model']}: "
            f"{one['created_images_per_s']:,.0f} images/s archived, "
            f"{one['read_images_per_s']:,.0f} read, {one['peak_memory_mb']:.0f} MB held at the most"
        )
        if one["images"] == AMONG:
            read, opened = one["one_image_by_number_other_block_ms_median"], one["opened_ms"]
            line += (
                f"; one image {read:.1f} ms ({verdict(read, MOST_READ_MS)}), opening {opened:.1f} ms "
                f"({verdict(opened, MOST_OPENED_MS)})"
            )
        lines.append(line)
    if "epoch" in result:
        archive, png = min(result["epoch"]["archive_s"]), min(result["epoch"]["png_s"])
        lines.append(f"{data}, a shuffled epoch of the DataLoader: {archive:.2f} s; from PNG files {png:.2f} s")
    return lines


def verdict(measured: float, bound: float) -> str:
    """Whether a bar of milliseconds holds."""
    return f"at most {bound:g}: {'holds' if measured <= bound else 'MISSED'}"
