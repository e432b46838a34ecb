"""Exact images in docs/results.md: bytes beside the classical codecs, what latents and context are worth, the bars.

results/lossless-DATA.json, results/lossless-exactness-DATA.json ──render──> Markdown
"""

from benchmarks.pages.page import Result


def lossless_lines(data: str, result: Result, exactness: Result | None) -> list[str]:
    """What is promised of exact images, a line each, with what was measured."""
    files, archive, bits = result["files"], result["archive"], result["parts"]["bits_per_pixel"]
    lines = [
        f"{data}, lossless, {result['model']['name']}: {archive['bytes_per_image']:.2f} bytes an image in an archive "
        f"of {files['images']:,} ({archive['bits_per_pixel']:.3f} bits per pixel), {files['bytes']:.1f} bytes as "
        "single files",
        f"{data}, lossless, bits per pixel: {bits['both']:.3f}; with the latents at the prior's mode "
        f"{bits['without_latents']:.3f}, without context {bits['without_context']:.3f}, with neither "
        f"{bits['with_neither']:.3f}; the latents hold {result['parts']['latents']:.1f} bits of an image",
        f"{data}, lossless: {files['compressed_images_per_s']:.0f} images/s compressed, "
        f"{files['decompressed_images_per_s']:.0f} decompressed",
    ]
    foreign = ", ".join(f"{name} ({found['images']:,})" for name, found in result["foreign"].items())
    lines.append(f"{data}, lossless, images of other kinds that came back exactly: {foreign}")
    missed = [bar for bar in result["bars"] if not bar["holds"]]
    lines += [
        f"{data}, lossless, MISSED: {bar['name']} {bar['measured']:.4g}, {bar['bound']:g} wanted" for bar in missed
    ]
    if exactness is not None:
        same = "all give the same pixels" if exactness["all_equal"] else "do NOT all give the same pixels"
        lines.append(
            f"{data}, lossless: {len(exactness['engines'])} ways to evaluate the networks (numpy with 1 and 2 threads; "
            f"torch in float32 and float64, oneDNN on and off; batches of 1, 16, 64) {same} for "
            f"{exactness['images']:,} test images"
        )
    return lines
