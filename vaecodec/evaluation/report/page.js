"use strict";
// Plots: as wide as their place, whenever that changes, and as wide as a page of paper in print.
const plots = JSON.parse(document.getElementById("plots").textContent);
const resized = new ResizeObserver((places) => {
  for (const place of places) Plotly.Plots.resize(place.target);
});
for (const [id, plot] of Object.entries(plots)) {
  Plotly.newPlot(id, plot.data, plot.layout, { displaylogo: false }).then((place) => resized.observe(place));
}
addEventListener("beforeprint", () => {
  for (const id of Object.keys(plots)) Plotly.relayout(id, { width: 640 });
});
addEventListener("afterprint", () => {
  for (const id of Object.keys(plots)) Plotly.relayout(id, { width: null, autosize: true });
});

// Tables: a click on a head, or Enter, sorts by its column; numbers by value, empty cells last.
const key = (row, column) => {
  const cell = row.cells[column];
  const number = cell.querySelector(".number");
  return number ? Number(number.dataset.value) : cell.textContent.trim();
};
const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
const sort = (head) => {
  const down = head.getAttribute("aria-sort") === "ascending";
  const body = head.closest("table").tBodies[0];
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = Array.from(body.rows, (row) => ({ row, key: key(row, head.cellIndex) }));
  rows.sort((a, b) => (a.key === "") - (b.key === "") || (down ? -1 : 1) * compare(a.key, b.key));
  body.append(...rows.map((one) => one.row));
};
for (const head of document.querySelectorAll("table.sortable th")) {
  head.tabIndex = 0;
  head.addEventListener("click", () => sort(head));
  head.addEventListener("keydown", (event) => {
    if (event.key === "Enter") sort(head);
  });
}
