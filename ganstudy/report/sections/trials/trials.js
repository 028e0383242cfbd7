(() => {
  "use strict";
  const { headings, decimals, rows } = JSON.parse(document.getElementById("trial-data").textContent);
  const table = document.getElementById("every-trial");
  const head = table.tHead.rows[0], body = table.tBodies[0];
  const filter = document.getElementById("filter"), matches = document.getElementById("matches");
  const more = document.getElementById("more");
  // Ten thousand rows at once would make the page slow to open and to lay out.
  const PAGE = 200;
  let column = -1, descending = false, limit = PAGE;
  const open = new Set();

  // What is below a unit of the last decimal, or has more digits than are known, came as it is told.
  const number = (cell, places) =>
    Math.abs(cell) >= 1e15 ? cell.toExponential()
    : cell && Math.abs(cell) < 10 ** -places ? String(cell)
    : cell.toFixed(places);
  const text = (cell, k) =>
    cell === null ? "–"
    : typeof cell === "number" && decimals[k] !== null ? number(cell, decimals[k]).replace("-", "−")
    : String(cell);
  const searchable = rows.map((row) => row.map(text).join(" ").toLowerCase());

  function compare(first, second) {
    const a = rows[first][column], b = rows[second][column];
    // What does not exist comes last in either direction, and equal cells keep the study's order.
    if (a === null || b === null) return (a === null) - (b === null) || first - second;
    const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    return (descending ? -order : order) || first - second;
  }

  // The first cell of a row, which opens and closes its details.
  function opener(k, row) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text(rows[k][0], 0);
    button.setAttribute("aria-expanded", open.has(k));
    button.addEventListener("click", () => {
      const opened = !open.has(k);
      if (opened) { open.add(k); row.after(detailed(k)); }
      else { open.delete(k); row.nextElementSibling.remove(); }
      button.setAttribute("aria-expanded", opened);
    });
    return button;
  }
  function detailed(k) {
    const row = document.createElement("tr"), cell = row.appendChild(document.createElement("td"));
    row.className = "details";
    cell.colSpan = headings.length;
    cell.append(trialDetails(k, rows[k], headings));
    return row;
  }

  function show() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [...rows.keys()].filter((k) => words.every((word) => searchable[k].includes(word)));
    if (column >= 0) found.sort(compare);
    body.replaceChildren(...found.slice(0, limit).flatMap((k) => {
      const row = document.createElement("tr");
      rows[k].forEach((cell, place) => {
        const data = row.appendChild(document.createElement(place ? "td" : "th"));
        if (typeof cell === "string") data.className = "label";
        if (place) data.textContent = text(cell, place);
        else { data.scope = "row"; data.append(opener(k, row)); }
      });
      return open.has(k) ? [row, detailed(k)] : [row];
    }));
    matches.textContent = `${found.length} of ${rows.length} trials`;
    more.hidden = found.length <= limit;
  }

  // On paper nothing scrolls. A heading is broken between words and after signs that join them, and
  // within a word only where columns as wide as their longest words would not fit beside each other.
  const LINE = 86, GAP = 0.8;  // in sizes of the font on paper: an A4 page, and between two columns
  const parts = (heading) => heading.split(/(?<=[_.\s-])/);
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `100px ${getComputedStyle(table).fontFamily}`;
  const widest = (texts) => Math.max(...texts.map((one) => pen.measureText(one.trimEnd()).width / 100));
  const widths = headings.slice(0, -1).map((heading, k) => {
    const cells = rows.slice(0, 50).flatMap((row) => text(row[k], k).split(/(?<=[\s-])/));
    return [widest(parts(heading)), widest(["", ...cells])];
  });
  const upTo = (most) => widths.map(([head, below]) => Math.max(Math.min(head, most), below) + GAP);
  let most = 12;
  while (most > 1 && upTo(most).reduce((sum, own) => sum + own, 0) > LINE) most -= 0.25;
  const least = upTo(most);

  headings.forEach((heading, k) => {
    const cell = head.appendChild(document.createElement("th"));
    cell.scope = "col";
    if (rows.length && typeof rows[0][k] === "string") cell.className = "label";
    const button = cell.appendChild(document.createElement("button"));
    button.type = "button";
    parts(heading).forEach((part, place) => {
      if (place) button.append(document.createElement("wbr"));
      button.append(part);
    });
    if (k < least.length) cell.style.setProperty("--least", `${least[k]}em`);
    button.addEventListener("click", () => {
      descending = column === k && !descending;
      column = k;
      for (const other of head.cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
      show();
    });
  });
  filter.addEventListener("input", () => { limit = PAGE; show(); });
  more.addEventListener("click", () => {
    const seen = limit;
    limit += PAGE;
    show();
    // The button may be gone, or far below: go on at the first row that it has added.
    body.querySelectorAll("th button")[seen].focus();
  });
  show();
})();
