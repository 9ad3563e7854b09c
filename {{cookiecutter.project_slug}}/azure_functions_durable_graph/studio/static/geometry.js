// Where the boxes of a diagram are, and how its arrows run: dagre ranks and orders them, and this draws the lines.
//
// A line is straight where it passes a rank of boxes, and bends in the gap between two ranks, so that it crosses no box.

import { Graph, layout } from "./vendor/dagre.js";

export const TITLE = 13;
export const NOTE = 11;
const WIDEST = 290;
const TIP = 7;
const APART = 13;
const STRAIGHT = 24;
const MARGIN = 14;
const SMALL = { start: [14, 14], end: [18, 18], join: [46, 6] };
const WEIGHTS = { static: 8, wait: 5, route: 3, late: 1, error: 1 };

let measuring;

/** How wide a text is, in the page's own font. */
export function width(text, size, weight = 500) {
  measuring ??= document.createElement("canvas").getContext("2d");
  measuring.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return measuring.measureText(text).width;
}

/** Whether a box is a mark without words. */
export const isMark = (kind) => kind in SMALL;

function size(box, branches) {
  if (box.kind === "join") return [Math.max(46, 18 * branches), 6];
  if (SMALL[box.kind]) return SMALL[box.kind];
  const wide = Math.max(width(box.title, TITLE) + (box.kind === "event" ? 46 : 40), width(box.note ?? "", NOTE, 400) + 26);
  return [Math.min(WIDEST, Math.max(96, Math.ceil(wide))), box.note ? 44 : 32];
}

/** The diagram with places: boxes with x, y, width and height, arrows with their path, tip and the place of a label. */
export function laidOut(diagram) {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 36, edgesep: 16, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = diagram.arrows.filter((arrow) => diagram.boxes.has(arrow.to));
  for (const box of diagram.boxes.values()) {
    const [wide, high] = size(box, known.filter((arrow) => arrow.to === box.id).length);
    graph.setNode(box.id, { width: wide, height: high });
  }
  for (const arrow of known) {
    const text = arrow.label ? { width: width(arrow.label, NOTE, 400) + 12, height: 16, labelpos: "c" } : {};
    graph.setEdge(arrow.from, arrow.to, { weight: WEIGHTS[arrow.kind], ...text }, arrow.kind);
  }
  layout(graph);
  const boxes = new Map([...diagram.boxes.values()].map((box) => [box.id, { ...box, ...graph.node(box.id) }]));
  const arrows = known.map((arrow) => ({ ...arrow, ...graph.edge(arrow.from, arrow.to, arrow.kind) }));
  if (backwards(boxes, arrows)) mirror([...boxes.values(), ...arrows, ...arrows.flatMap((arrow) => arrow.points)]);
  route(boxes, arrows);
  return { boxes: [...boxes.values()], arrows, ...extent(boxes, arrows) };
}

/** Whether most of what was declared from left to right has come out from right to left. */
function backwards(boxes, arrows) {
  let balance = 0;
  for (const from of boxes.keys()) {
    const xs = arrows.filter((arrow) => arrow.from === from && arrow.kind !== "error").map((arrow) => boxes.get(arrow.to).x);
    for (let index = 1; index < xs.length; index += 1) balance += Math.sign(xs[index] - xs[index - 1]);
  }
  return balance < 0;
}

function mirror(places) {
  for (const place of places) if (place.x !== undefined) place.x = -place.x;
}

/** Give each end of an arrow a place of its own on the upper or lower side of its box, in the order of where it goes. */
function route(boxes, arrows) {
  const bands = new Map();
  const sides = new Map();
  for (const box of boxes.values()) {
    const y = Math.round(box.y);
    bands.set(y, Math.max(bands.get(y) ?? 0, box.height / 2));
  }
  for (const arrow of arrows.filter((one) => one.from !== one.to)) {
    const [from, to] = [boxes.get(arrow.from), boxes.get(arrow.to)];
    arrow.down = from.y < to.y;
    arrow.bends = arrow.points.slice(1, -1).filter((bend) => bands.has(Math.round(bend.y)) || isLabel(bend, arrow));
    const ends = [[from, "start", arrow.bends[0] ?? to, arrow.down], [to, "end", arrow.bends.at(-1) ?? from, !arrow.down]];
    for (const [box, end, toward, lower] of ends) {
      const side = `${box.id} ${lower}`;
      sides.set(side, [...(sides.get(side) ?? []), { arrow, box, end, toward: toward.x, lower }]);
    }
  }
  for (const ends of sides.values()) spread(ends);
  for (const ends of sides.values()) if (ends.length === 1) straighten(ends[0]);
  for (const arrow of arrows) arrow.path = arrow.from === arrow.to ? loop(boxes.get(arrow.from), arrow) : line(arrow, bands);
}

function spread(ends) {
  ends.sort((one, other) => one.toward - other.toward);
  const { box } = ends[0];
  const room = isMark(box.kind) && box.kind !== "join" ? 0 : box.width - 22;
  const slots = ends.flatMap((one) => (one.lower && one.end === "end" && ends.length > 2 ? [null, one, null] : [one]));
  const apart = slots.length > 1 ? Math.min(APART, room / (slots.length - 1)) : 0;
  slots.forEach((one, index) => {
    if (!one) return; // room for the tip of an arrow that comes from below
    const y = box.y + (one.lower ? box.height / 2 : -box.height / 2);
    one.arrow[one.end] = { x: box.x + (index - (slots.length - 1) / 2) * apart, y };
  });
}

/** dagre bends each arrow between two ranks, too: that matters only where it has its label. */
function isLabel(bend, arrow) {
  return arrow.label && Math.abs(bend.y - arrow.y) < 1;
}

/** An arrow that is alone at its end meets the other end without a kink. */
function straighten({ arrow, box, end }) {
  const other = arrow[end === "start" ? "end" : "start"];
  if (!arrow.bends.length && Math.abs(other.x - box.x) < Math.min(STRAIGHT, box.width / 2 - 8)) arrow[end].x = other.x;
}

const at = (x, y) => `${x.toFixed(1)} ${y.toFixed(1)}`;

/** From the start over the bends to the end: curved in the gaps, straight beside boxes, and upright at its tip. */
function line({ start, end, bends, down }, bands) {
  const way = down ? 1 : -1;
  let path = `M${at(start.x, start.y)}`;
  let now = start;
  const curve = (x, y) => {
    const middle = (now.y + y) / 2;
    path += Math.abs(now.x - x) < 0.5 ? `L${at(x, y)}` : `C${at(now.x, middle)} ${at(x, middle)} ${at(x, y)}`;
    now = { x, y };
  };
  for (const bend of bends) {
    const half = bands.get(Math.round(bend.y)) ?? 0;
    curve(bend.x, bend.y - way * half);
    if (half) curve(bend.x, bend.y + way * half);
  }
  curve(end.x, end.y - way * TIP);
  return `${path}L${at(end.x, end.y - way * 2)}`;
}

/** From a box to itself, on its right. */
function loop(box, arrow) {
  const [x, y] = [box.x + box.width / 2, box.y];
  Object.assign(arrow, { end: { x, y: y + 7 }, x: x + 34, y, sideways: true });
  return `M${at(x, y - 8)}C${at(x + 34, y - 20)} ${at(x + 34, y + 20)} ${at(x + 6, y + 8)}L${at(x + 2, y + 7)}`;
}

export function tip({ end, down, sideways }) {
  return `translate(${at(end.x, end.y)}) rotate(${sideways ? 190 : down ? 90 : -90})`;
}

/** The corner and the size of all that is drawn. */
function extent(boxes, arrows) {
  const xs = [];
  const ys = [];
  const add = (x, y, wide, high) => {
    xs.push(x - wide, x + wide);
    ys.push(y - high, y + high);
  };
  for (const box of boxes.values()) add(box.x, box.y, box.width / 2 + 8, box.height / 2 + 8);
  for (const arrow of arrows) {
    for (const bend of arrow.bends ?? []) add(bend.x, bend.y, 2, 2);
    if (arrow.label || arrow.sideways) add(arrow.x, arrow.y, (arrow.width ?? 0) / 2, 8);
  }
  const [left, top] = [Math.min(...xs) - MARGIN / 2, Math.min(...ys) - MARGIN / 2];
  return { left, top, wide: Math.max(...xs) + MARGIN / 2 - left, high: Math.max(...ys) + MARGIN / 2 - top };
}
