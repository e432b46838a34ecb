"""The page in headless Chromium, as wide as a phone and as a desk: no error, every figure there, nothing too wide."""

import os
import re
import shutil
import subprocess
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BROWSER = next((path for name in NAMES if (path := shutil.which(name))), None)
WIDTHS = (390, 1280)
HEIGHT = 6_000  # of the window: a screenshot shows this much of the page
# Makes the page tell what only a browser knows: its width, what sorting does, which pictures and plots are there.
PROBE = """<script>
addEventListener("load", () => setTimeout(() => {
  const table = document.querySelector('table[data-key="rates-mnist"]');
  table.querySelectorAll("th")[4].click();
  const cells = Array.from(table.tBodies[0].rows, (row) => row.cells[4].querySelector(".number"));
  const column = cells.map((cell) => Number(cell.dataset.value));
  const seen = {
    width: document.documentElement.scrollWidth,
    sorted: column.every((value, k) => k === 0 || column[k - 1] <= value),
    plots: document.querySelectorAll(".plot.js-plotly-plot .main-svg").length,
    overflowing: Array.from(document.querySelectorAll(".plot"), (place) => place.scrollWidth - place.clientWidth)
      .filter((more) => more > 1).length,
    points: document.querySelectorAll(".plot .point, .plot .points path").length,
    broken: Array.from(document.images).filter((image) => !image.naturalWidth).length,
    images: document.images.length,
  };
  parent.postMessage(JSON.stringify(seen), "*");
}, 2000));
</script>"""
# The page stands in a frame: headless Chromium makes no window narrower than LEAST_WINDOW.
FRAME = """<!DOCTYPE html><title>waiting</title><body style="margin: 0">
<iframe src="page.html" width="{width}" height="{height}" style="border: 0"></iframe>
<script>addEventListener("message", (event) => (document.title = "seen " + event.data));</script>"""
LEAST_WINDOW = 500

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"no browser on this machine: none of {', '.join(NAMES)}")


@pytest.fixture(scope="module", params=WIDTHS)
def visit(request, committed_page, tmp_path_factory):
    """(width, the page as the browser has it, its log, a screenshot)."""
    folder = tmp_path_factory.mktemp("browser")
    (folder / "page.html").write_text(committed_page.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    frame = FRAME.format(width=request.param, height=HEIGHT)
    (folder / "frame.html").write_text(frame, encoding="utf-8")
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        f"--user-data-dir={folder / 'profile'}",
        "--hide-scrollbars",
        f"--window-size={max(request.param, LEAST_WINDOW)},{HEIGHT}",
        "--virtual-time-budget=20000",
        f"--screenshot={folder / 'page.png'}",
        "--dump-dom",
        f"file://{folder / 'frame.html'}",
    ]
    environment = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=110, check=True)
    return request.param, done.stdout, done.stderr, (folder / "page.png").read_bytes()


@pytest.mark.timeout(240)
def test_the_page_opens_without_an_error_and_shows_everything(visit, committed):
    width, dom, log, picture = visit
    assert re.findall(r"CONSOLE.*", log) == []
    (title,) = re.findall(r"<title>seen (.*?)</title>", dom)
    seen = dict(re.findall(r'"(\w+)":(\w+)', title.replace("&quot;", '"')))
    charts = [f for s in committed.to_dict()["sections"] for f in s["figures"] if f["kind"] == "chart"]
    panels = sum(len(chart["panels"]) for chart in charts)
    assert int(seen["plots"]) >= panels
    assert int(seen["points"]) > 100
    assert seen["broken"] == seen["overflowing"] == "0"
    assert int(seen["images"]) > 100
    assert seen["sorted"] == "true"
    assert int(seen["width"]) <= width
    shot = np.asarray(Image.open(BytesIO(picture)).convert("L"))
    assert shot.shape == (HEIGHT, max(width, LEAST_WINDOW))
    assert shot[:, :width].std() > 10  # not a blank page
