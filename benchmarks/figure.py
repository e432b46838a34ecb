"""The README's rate-distortion figure, from the stored results.

    python -m benchmarks.figure

results/{rate-distortion,classical,flagship,lossless}-DATA.json ──pages/figure.py──> results/rate-distortion.png, .svg
"""

from benchmarks.measuring.machine import RESULTS
from benchmarks.pages.figure import draw_stored


def main() -> None:
    """Draw what the README shows."""
    print(draw_stored(RESULTS))


if __name__ == "__main__":
    main()
