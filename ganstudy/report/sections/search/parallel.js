// Parallel coordinates that can be brushed, in place of the figure without a script.
(() => {
  "use strict";
  const { axes, groups, lines, absent } = JSON.parse(document.getElementById("parallel-data").textContent);
  const card = document.querySelector("#figure-parallel_coordinates .card");
  const width = 1000, top = 46, bottom = 330, left = 90, right = width - 40;
  const gap = (right - left) / Math.max(axes.length - 1, 1);
  const x = (k) => left + k * gap, y = (place) => bottom - place * (bottom - top);
  const brushes = axes.map(() => null);

  function draw(name, attributes, parent) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    parent.append(node);
    return node;
  }
  const stroke = (group) => ({ stroke: group.colour, "stroke-dasharray": group.dashes });
  const svg = draw("svg", { viewBox: `0 0 ${width} 376`, class: "parallel", role: "group",
    "aria-label": card.querySelector("img").alt }, card);
  card.querySelector("img").remove();

  const paths = lines.map((line) => {
    const points = line.at.map((place, k) => `${x(k).toFixed(1)} ${y(place ?? absent).toFixed(1)}`);
    const path = draw("path", { d: `M${points.join("L")}`, ...stroke(groups[line.group]) }, svg);
    draw("title", {}, path).textContent = `${line.search}, trial ${line.trial}: `
      + axes.map((axis, k) => `${axis.name} ${line.texts[k]}`).join(", ");
    return path;
  });

  const names = document.createElement("p");
  names.className = "note";
  for (const group of groups) {
    const own = document.createElement("span");
    own.className = "named";
    draw("path", { d: "M0 5H28", ...stroke(group) }, draw("svg", { viewBox: "0 0 28 10" }, own));
    own.append(group.name);
    names.append(own);
  }
  const said = document.createElement("p");
  said.className = "note";
  said.setAttribute("role", "status");
  const all = document.createElement("button");
  all.type = "button";
  all.textContent = "Show all";
  card.append(names, said, all);

  function update() {
    const kept = lines.filter((line, k) => {
      const inside = brushes.every((brush, axis) =>
        brush === null || (line.at[axis] !== null && line.at[axis] >= brush[0] && line.at[axis] <= brush[1]));
      paths[k].setAttribute("class", !inside ? "out" : brushes.some(Boolean) || line.good ? "good" : "");
      return inside;
    });
    // The last axis is that of the first objective, better upwards. No point that may not be chosen is best.
    const best = kept.reduce((a, b) =>
      (b.keeps && (a === null || b.at.at(-1) > a.at.at(-1)) ? b : a), null);
    said.textContent = `${kept.length} of ${lines.length} points`
      + (best === null ? "" : `; best of them ${best.search}, trial ${best.trial}: `
        + axes.map((axis, k) => `${axis.name} ${best.texts[k]}`).join(", "));
    all.hidden = !brushes.some(Boolean);
    boxes.forEach((box, k) => {
      const [low, high] = brushes[k] ?? [0, 0];
      box.setAttribute("y", y(high));
      box.setAttribute("height", brushes[k] === null ? 0 : Math.max(y(low) - y(high), 2));
      box.parentNode.setAttribute("aria-valuetext",
        brushes[k] === null ? "all" : `${Math.round(100 * low)} to ${Math.round(100 * high)}% of the axis`);
      box.parentNode.setAttribute("aria-valuenow", brushes[k] === null ? 50 : Math.round(50 * (low + high)));
    });
  }

  const clip = (place) => Math.min(1, Math.max(0, place));
  const place = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return clip((bottom - point.y) / (bottom - top));
  };
  const boxes = axes.map((axis, k) => {
    const group = draw("g", { tabindex: 0, role: "slider", "aria-label": `Keep a part of ${axis.name}`,
      "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": 100 }, svg);
    draw("path", { d: `M${x(k)} ${top}V${bottom}`, class: "axis" }, group);
    draw("text", { x: x(k), y: top - (k % 2 ? 14 : 30), "text-anchor": k === axes.length - 1 ? "end" : "middle" }, group)
      .textContent = axis.name;
    for (const [at, label] of axis.ticks) {
      draw("text", { x: x(k) - 7, y: y(at) + 4, "text-anchor": "end" }, group).textContent = label;
    }
    const box = draw("rect", { x: x(k) - 7, width: 14, class: "brush" }, group);
    draw("rect", { x: x(k) - 16, y: top - 8, width: 32, height: bottom - top + 16, class: "grip" }, group);
    let from = null;
    group.addEventListener("pointerdown", (event) => {
      from = place(event);
      group.setPointerCapture(event.pointerId);
    });
    group.addEventListener("pointermove", (event) => {
      if (from === null) return;
      const to = place(event);
      brushes[k] = [Math.min(from, to), Math.max(from, to)];
      update();
    });
    group.addEventListener("pointerup", (event) => {
      // A click without a way takes the part away again.
      if (from !== null && Math.abs(place(event) - from) < 0.01) { brushes[k] = null; update(); }
      from = null;
    });
    group.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 0.1, ArrowRight: 0.1, ArrowDown: -0.1, ArrowLeft: -0.1 }[event.key];
      if (event.key === "Escape") brushes[k] = null;
      else if (step === undefined) return;
      else {
        const low = Math.min(0.75, Math.max(0, brushes[k] === null ? (step > 0 ? 0.75 : 0) : brushes[k][0] + step));
        brushes[k] = [low, low + 0.25];
      }
      event.preventDefault();
      update();
    });
    return box;
  });
  all.addEventListener("click", () => { brushes.fill(null); update(); });
  update();
})();
