// The frame under pointer and keys: landmarks that are dragged, and the brush that paints the mask.

const $ = (id) => document.getElementById(id);
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// `over` is the canvas on the picture; `opened()` is what the server told of the clip, once it has.
// `move`, `stroke` and `go` say what a drag, a painted path and an arrow do.
export function makeStage(over, { state, opened, move, stroke, go }) {
  const scale = () => over.width / opened().width;

  function draw() {
    const pen = over.getContext("2d");
    pen.clearRect(0, 0, over.width, over.height);
    if (!state.mesh || state.tool === "look") return;
    const ratio = scale();
    if (state.tool !== "brush") {
      const size = Math.max(2.5, over.width / 320);
      opened().landmarks.forEach((point, number) => {
        const [x, y] = state.mesh.points[point];
        const main = state.tool === "face" || number === state.landmark;
        pen.beginPath();
        pen.arc(x * ratio, y * ratio, main && state.tool === "points" ? size * 1.8 : size, 0, 7);
        pen.fillStyle = main ? "#ffd34d" : "#4fe0d6";
        pen.fill();
        pen.lineWidth = 1;
        pen.strokeStyle = "#08181a";
        pen.stroke();
      });
      return;
    }
    pen.lineWidth = 2 * radius();
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = pen.fillStyle = "rgb(255 211 77 / .55)";
    if (state.path) {
      pen.beginPath();
      state.path.forEach(([x, y]) => pen.lineTo(x * ratio, y * ratio));
      if ($("fill").checked) pen.fill();
      pen.stroke();
    }
    if (state.brush) {
      pen.beginPath();
      pen.arc(state.brush[0] * ratio, state.brush[1] * ratio, radius(), 0, 7);
      pen.lineWidth = 1.5;
      pen.strokeStyle = "#ffd34d";
      pen.stroke();
    }
  }

  // How large the brush is on the canvas: the chart is about 1.4 faces wide.
  function radius() {
    const [[a], [c]] = state.mesh.unit;
    return (Number($("size").value) / 1000 / Math.hypot(a, c)) * 1.3 * scale();
  }

  function spot(event) {
    const box = over.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * opened().width, ((event.clientY - box.top) / box.height) * opened().height];
  }

  function nearest([x, y]) {
    let best = 0;
    let least = Infinity;
    opened().landmarks.forEach((point, number) => {
      const [px, py] = state.mesh.points[point];
      const away = Math.hypot(px - x, py - y);
      if (away < least) [best, least] = [number, away];
    });
    return least < opened().width / 25 ? best : null;
  }

  let held = null;
  over.addEventListener("pointerdown", (event) => {
    if (!state.mesh || state.tool === "look") return;
    const place = spot(event);
    if (state.tool === "points") {
      const found = nearest(place);
      if (found === null) return;
      state.landmark = found;
      $("landmark").value = found;
    }
    over.setPointerCapture(event.pointerId);
    held = { from: place, points: structuredClone(state.mesh.points) };
    if (state.tool === "brush") state.path = [place];
    draw();
  });
  over.addEventListener("pointermove", (event) => {
    const place = spot(event);
    state.brush = place;
    if (held) {
      if (state.tool === "brush") state.path.push(place);
      const [x, y] = [place[0] - held.from[0], place[1] - held.from[1]];
      const moving = state.tool === "face" ? opened().landmarks : state.tool === "points" ? [opened().landmarks[state.landmark]] : [];
      for (const point of moving) state.mesh.points[point] = [held.points[point][0] + x, held.points[point][1] + y];
    }
    if (state.tool !== "look") draw();
  });
  function release(event) {
    if (!held) return;
    const [x, y] = [spot(event)[0] - held.from[0], spot(event)[1] - held.from[1]];
    state.mesh.points = held.points;
    held = null;
    if (state.tool === "brush") {
      const path = state.path;
      state.path = null;
      stroke(path);
    } else if (Math.hypot(x, y) > 0.3) move(x, y);
  }
  over.addEventListener("pointerup", release);
  over.addEventListener("pointercancel", () => { held = null; state.path = null; draw(); });

  over.addEventListener("keydown", (event) => {
    const step = (event.shiftKey ? 6 : 1) * Math.max(1, opened().width / 640);
    const way = ARROWS[event.key];
    if (!state.mesh || event.ctrlKey || event.metaKey) return;
    if (way && state.tool === "look") go(state.frame + way[0] + way[1]);
    else if (way && state.tool === "brush") {
      const [x, y] = state.brush || state.mesh.centre;
      state.brush = [x + 4 * step * way[0], y + 4 * step * way[1]];
      draw();
    } else if (way) move(step * way[0], step * way[1]);
    else if (event.key === " " && state.tool === "brush") stroke([state.brush || state.mesh.centre]);
    else if ((event.key === "n" || event.key === "p") && state.tool === "points") {
      state.landmark = (state.landmark + (event.key === "n" ? 1 : 67)) % 68;
      $("landmark").value = state.landmark;
      draw();
    } else return;
    event.preventDefault();
  });

  return { draw };
}
