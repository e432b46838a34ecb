"""The README's rate-distortion figures, from the stored results.

    python -m benchmarks.figure

results/{rate-distortion,classical,flagship,lossless}-DATA.json ──pages/figure.py──> results/rate-distortion.png
results/photographs-kodak.json ──pages/photograph_figure.py──> results/photographs-kodak.png
"""

from benchmarks.measuring.machine import RESULTS
from benchmarks.pages import photograph_figure
from benchmarks.pages.figure import draw_stored
from benchmarks.pages.page import read


def main() -> None:
    """Draw what the README shows."""
    print(draw_stored(RESULTS))
    photographs, path = read(RESULTS / "photographs-kodak.json"), RESULTS / "photographs-kodak.png"
    if photographs is not None:
        photograph_figure.draw(photographs, path)
        print(path)


if __name__ == "__main__":
    main()
