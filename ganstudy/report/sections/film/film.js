(() => {
  "use strict";
  const scenes = JSON.parse(document.getElementById("film-data").textContent);
  const player = document.getElementById("film-player");
  const slider = document.getElementById("film-frame"), play = document.getElementById("film-play");
  const when = document.getElementById("film-step");
  const panels = [...player.querySelectorAll(".film-scene")];
  const last = Number(slider.max), PAUSE = 550;
  let timer = 0;

  // Shorter films are stretched: the first and the last frames of all are shown together.
  const own = (scene, frame) => last ? Math.round((frame / last) * (scene.steps.length - 1)) : 0;

  // What no scene has a place for is told.
  const outside = (points) => {
    let beyond = 0;
    for (let k = 0; k < points.length; k += 2)
      beyond += points[k] < 0 || points[k] > 1000 || points[k + 1] < 0 || points[k + 1] > 1000;
    const share = Math.round((200 * beyond) / points.length);
    return share ? `${share}% outside` : "";
  };
  const discs = (points) => {
    let path = "";
    for (let k = 0; k < points.length; k += 2) path += `M${points[k]} ${points[k + 1]}h0`;
    return path;
  };
  const lines = (from, to) => {
    let path = "";
    for (let k = 0; k < to.length; k += 2) path += `M${from[k]} ${from[k + 1]}L${to[k]} ${to[k + 1]}`;
    return path;
  };
  // A wedge from its broad tail to its tip, about the middle of its cell.
  const wedges = (arrows) => {
    const side = Math.sqrt(arrows.length / 2), cell = 1000 / side;
    let path = "";
    for (let k = 0; k < arrows.length / 2; k += 1) {
      const u = arrows[2 * k], v = arrows[2 * k + 1];
      if (!u && !v) continue;
      const x = ((k % side) + 0.5) * cell, y = 1000 - (Math.floor(k / side) + 0.5) * cell;
      const width = 5 / Math.hypot(u, v);
      const across = [-v * width, u * width];
      path += `M${(x - u / 2 + across[0]).toFixed(0)} ${(y - v / 2 + across[1]).toFixed(0)}`
        + `L${(x + u / 2).toFixed(0)} ${(y + v / 2).toFixed(0)}`
        + `L${(x - u / 2 - across[0]).toFixed(0)} ${(y - v / 2 - across[1]).toFixed(0)}Z`;
    }
    return path;
  };

  function show(frame) {
    const steps = new Set();
    scenes.forEach((scene, place) => {
      const panel = panels[place], at = own(scene, frame), before = own(scene, Math.max(frame - 1, 0));
      const set = (name, path) => panel.querySelector(name).setAttribute("d", path);
      const points = scene.points[at];
      steps.add(scene.steps[at]);
      panel.classList.toggle("gone", points === null);
      panel.querySelector(".film-when").textContent =
        points === null ? `diverged at ${scene.diverged.toLocaleString("en")}` : outside(points);
      if (points === null) return;
      set(".points", discs(points));
      set(".trails", frame && scene.points[before] ? lines(scene.points[before], points) : "");
      set(".arrows", scene.arrows && scene.arrows[at] ? wedges(scene.arrows[at]) : "");
    });
    if (steps.size > 1) {
      scenes.forEach((scene, place) => {
        const text = panels[place].querySelector(".film-when");
        const step = `M-step ${scene.steps[own(scene, frame)].toLocaleString("en")}`;
        if (scene.points[own(scene, frame)] !== null)
          text.textContent = [step, text.textContent].filter(Boolean).join(", ");
      });
    }
    const named = steps.size > 1
      ? `frame ${frame + 1} of ${last + 1}` : `M-step ${[...steps][0].toLocaleString("en")}`;
    when.textContent = named;
    slider.setAttribute("aria-valuetext", named);
  }

  function stop() {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
  }
  function start() {
    if (Number(slider.value) >= last) slider.value = 0;
    show(Number(slider.value));
    play.textContent = "Pause";
    timer = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      show(Number(slider.value));
      if (Number(slider.value) >= last) stop();
    }, PAUSE);
  }

  play.addEventListener("click", () => (timer ? stop() : start()));
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  player.hidden = false;
  document.querySelector(".film-note").hidden = false;
  document.getElementById("film-stills").classList.add("print-only");
  show(last);
  // It plays once when it is first seen, unless the reader has asked for less motion.
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const watch = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    watch.disconnect();
    if (!calm.matches && !timer) start();
  }, { threshold: 0.6 });
  watch.observe(panels[0]);
})();
