// The timeline: where corrections begin and end, their keyframes, and what is between them.

export const LANES = [["shapes", "Landmarks"], ["masks", "Mask"], ["owners", "Whose"], ["skips", "As filmed"]];

// Which frames are shown: the first, and how many.
export function shown(frame, frames, wide) {
  const most = wide || frames;
  return [Math.max(0, Math.min(frames - most, frame - Math.floor(most / 2))), Math.max(1, Math.min(most, frames))];
}

function part(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function drawLanes(doc, frame, chosen, [first, wide]) {
  const across = (each) => ((each - first + 0.5) / wide) * 1000;
  const parts = [];
  LANES.forEach(([name], row) => {
    const [top, high] = [6 + row * 36, 28];
    parts.push(part("rect", { x: 0, y: top, width: 1000, height: high, class: "rail" }));
    doc[name].forEach((each, number) => {
      const picked = number === chosen[name] ? " chosen" : "";
      const [left, right] = [across(each.first - 0.5), across(each.last + 0.5)];
      parts.push(part("rect", { x: left, y: top, width: Math.max(1, right - left), height: high, class: `span${picked}` }));
      if (!each.keys) return;
      parts.push(part("path", { d: curve(each, across, top, high), class: "curve" }));
      for (const key of each.keys) parts.push(part("ellipse", { cx: across(key.frame), cy: top + high / 2, rx: 4, ry: 5, class: "key" }));
    });
  });
  parts.push(part("path", { d: `M${across(frame)} 0V150`, class: "now" }));
  return parts;
}

export function told(doc) {
  const all = LANES.map(([name, words]) => [words, doc[name].length]).filter(([, count]) => count);
  const what = all.length ? all.map(([words, count]) => `${words}: ${count}`).join(", ") : "Nothing is corrected yet";
  return `From the top: landmarks, mask, whose face, left as filmed. ${what}.`;
}

// How much a correction counts, and how it goes from one keyframe to the next.
function curve(each, across, top, high) {
  const ease = Math.min(each.ease, (each.last - each.first) / 2);
  const [low, peak] = [top + high - 2, top + 3];
  let path = `M${across(each.first)} ${ease ? low : peak}L${across(each.first + ease)} ${peak}`;
  each.keys.forEach((key, n) => {
    const next = each.keys[n + 1];
    if (!next) return;
    const [x, y] = [across(key.frame), across(next.frame)];
    const dip = top + high / 2;
    if (each.blend === "hold") path += `M${x} ${dip}H${y}V${dip - 6}`;
    else if (each.blend === "smooth") path += `M${x} ${dip}C${(x + y) / 2} ${dip} ${(x + y) / 2} ${dip - 9} ${y} ${dip}`;
    else path += `M${x} ${dip}L${y} ${dip}`;
  });
  return `${path}M${across(each.last - ease)} ${peak}L${across(each.last)} ${ease ? low : peak}`;
}
