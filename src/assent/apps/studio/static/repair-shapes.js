// Repairs as numbers: keyframes between which values go, and places on a face.

export function between(frames, frame, blend) {
  let after = frames.findIndex((each) => each > frame);
  if (after < 0) after = frames.length;
  if (after === 0) return [0, 0, 0];
  if (after === frames.length || blend === "hold") return [after - 1, after - 1, 0];
  const share = (frame - frames[after - 1]) / (frames[after] - frames[after - 1]);
  return [after - 1, after, blend === "smooth" ? share * share * (3 - 2 * share) : share];
}

// What a new keyframe of moved landmarks begins with: what held in that frame before.
export function shapeAt(repair, frame) {
  const frames = repair.keys.map((key) => key.frame);
  const [from, to, share] = between(frames, frame, repair.blend);
  const [a, b] = [repair.keys[from], repair.keys[to]];
  const mix = (one, other) => Math.round(one + share * (other - one));
  const points = {};
  for (const number of new Set([...Object.keys(a.points), ...Object.keys(b.points)])) {
    const [p, q] = [a.points[number] || [0, 0], b.points[number] || [0, 0]];
    points[number] = [mix(p[0], q[0]), mix(p[1], q[1])];
  }
  return {
    frame, x: mix(a.x, b.x), y: mix(a.y, b.y), turn: mix(a.turn, b.turn),
    scale: Math.round(a.scale ** (1 - share) * b.scale ** share), points,
  };
}

export function strokesAt(repair, frame) {
  const before = repair.keys.filter((key) => key.frame <= frame).at(-1) || repair.keys[0];
  return { frame, strokes: structuredClone(before.strokes) };
}

export function keyAt(repair, frame, made) {
  let key = repair.keys.find((each) => each.frame === frame);
  if (!key) {
    key = made(repair, frame);
    repair.keys.push(key);
    repair.keys.sort((a, b) => a.frame - b.frame);
  }
  repair.first = Math.min(repair.first, frame);
  repair.last = Math.max(repair.last, frame);
  return key;
}

// A place in the frame to one on the chart: by the triangle that it lies in, or the nearest.
export function toChart(x, y, mesh, chart) {
  let best = null;
  let least = Infinity;
  for (const [a, b, c] of chart.triangles) {
    const [p, q, r] = [mesh[a], mesh[b], mesh[c]];
    const double = (q[0] - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (q[1] - p[1]);
    if (double < 0.5) continue; // turned away
    const second = ((x - p[0]) * (r[1] - p[1]) - (r[0] - p[0]) * (y - p[1])) / double;
    const third = ((q[0] - p[0]) * (y - p[1]) - (x - p[0]) * (q[1] - p[1])) / double;
    const outside = Math.max(0, -second, -third, second + third - 1);
    if (outside >= least) continue;
    least = outside;
    const [u, v, w] = [chart.points[a], chart.points[b], chart.points[c]];
    const first = 1 - second - third;
    best = [0, 1].map((k) => Math.round(first * u[k] + second * v[k] + third * w[k]));
    if (outside === 0) break;
  }
  return best && best.map((value) => Math.min(12000, Math.max(-2000, value)));
}

// A line of at most so many points: every one that the others don't tell.
export function thinned(points, most) {
  let kept = points.filter((p, n) => n === 0 || Math.hypot(p[0] - points[n - 1][0], p[1] - points[n - 1][1]) > 20);
  while (kept.length > most) kept = kept.filter((_, n) => n % 2 === 0 || n === kept.length - 1);
  return kept;
}

export const LANDMARKS = [
  [0, 16, "Jaw"], [17, 21, "Brow, left"], [22, 26, "Brow, right"], [27, 35, "Nose"],
  [36, 41, "Eye, left"], [42, 47, "Eye, right"], [48, 59, "Lips"], [60, 67, "Lips, inside"],
];
