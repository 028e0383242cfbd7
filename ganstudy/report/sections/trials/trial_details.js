// trialDetails(row, cells, headings): the panel that a row of the table of trials opens.
const trialDetails = (() => {
  "use strict";
  const data = JSON.parse(document.getElementById("trial-details").textContent);
  const ABSENT = 255, TOP = 254;
  const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

  function draw(name, attributes, parent) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    parent?.append(node);
    return node;
  }
  function picture(width, height, label) {
    return draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label });
  }
  function say(parent, x, y, text, anchor = "start") {
    draw("text", { x, y, "text-anchor": anchor }, parent).textContent = text;
  }

  function curve(found, colour) {
    const values = bytes(found.curve), { steps } = data;
    const left = 46, right = 350, top = 16, bottom = 176;
    const label = `${data.metric} against M-steps, between ${found.low} and ${found.high}; `
      + `${found.last} at the last recorded step`;
    const svg = picture(370, 204, label);
    const end = steps[steps.length - 1];
    const at = (k) => [left + (steps[k] / end) * (right - left), bottom - (values[k] / TOP) * (bottom - top)];
    draw("path", { d: `M${left} ${top}V${bottom}H${right}`, class: "axis" }, svg);
    let path = "", pen = "M";
    values.forEach((value, k) => {
      if (value === ABSENT) { pen = "M"; return; }
      const [x, y] = at(k).map((place) => place.toFixed(1));
      // A point of its own, too, where its neighbours do not exist.
      path += pen === "M" ? `M${x} ${y}h0` : `L${x} ${y}`;
      pen = "L";
    });
    draw("path", { d: path, stroke: colour, class: "line" }, svg);
    say(svg, left - 6, top + 4, found.high, "end");
    say(svg, left - 6, bottom + 4, found.low, "end");
    say(svg, left, bottom + 18, "0", "middle");
    say(svg, right, bottom + 18, `M-step ${end.toLocaleString("en")}`, "end");
    return svg;
  }

  function cloud(found, colour) {
    const places = bytes(found.points), count = places.length / 2;
    const beyond = found.outside ? `, ${found.outside}% of all outside` : "";
    const svg = picture(204, 204, `${count} final samples over the target${beyond}`);
    const behind = data.targets[found.target];
    const inner = draw("svg", { x: 2, y: 2, width: 200, height: 200, viewBox: "0 0 1000 1000" }, svg);
    draw("path", { d: behind.path, class: behind.dots ? "target dots" : "target" }, inner);
    let path = "";
    for (let k = 0; k < places.length; k += 2) {
      path += `M${((1000 * places[k]) / TOP).toFixed(0)} ${(1000 - (1000 * places[k + 1]) / TOP).toFixed(0)}h0`;
    }
    draw("path", { d: path, stroke: colour, class: "samples" }, inner);
    draw("rect", { x: 0.5, y: 0.5, width: 203, height: 203, class: "frame" }, svg);
    if (found.outside) say(svg, 198, 198, `${found.outside}% outside`, "end");
    return svg;
  }

  return (row, cells, headings) => {
    const panel = document.createElement("div");
    panel.className = "card trial-details";
    panel.setAttribute("role", "region");
    panel.setAttribute("aria-label", "Curve and samples of the trial");
    const found = data.rows[row], colour = data.colours[data.arms[row]];
    if (found?.curve) {
      const titled = document.createElement("figure");
      titled.append(document.createElement("figcaption"), curve(found, colour));
      titled.firstChild.textContent = data.metric;
      panel.append(titled);
    }
    if (found?.points) {
      const titled = document.createElement("figure");
      titled.append(document.createElement("figcaption"), cloud(found, colour));
      const diverged = cells[headings.indexOf("status")] === "diverged";
      titled.firstChild.textContent = diverged ? "samples before the divergence" : "final samples";
      panel.append(titled);
    }
    const words = document.createElement("p");
    if (found === null) words.textContent = "Its curve and samples are not in this page. ";
    else if (!found.curve && !found.points) words.textContent = "It has left no curve and no samples. ";
    const place = data.dims.map((dim) => `${dim}=${JSON.stringify(cells[headings.indexOf(dim)])}`);
    words.append(document.createElement("code"));
    words.lastChild.textContent = `ds.sel(${place.join(", ")})`;
    panel.append(words);
    return panel;
  };
})();
