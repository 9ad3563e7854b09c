// The picture of a graph: laid out by dagre, drawn as SVG, with the path of a run lit.

import { html, useMemo, useState } from "./vendor/htm-preact.js";
import { Graph, layout } from "./vendor/dagre.js";

const TITLE = 13;
const NOTE = 11;
const WIDEST = 230;
const SMALL = { start: [14, 14], end: [18, 18], join: [46, 6] };
const WEIGHTS = { static: 6, wait: 4, route: 3, late: 1, error: 1 };

let measuring;

/** How wide a text is, in the page's own font. */
function width(text, size, weight = 500) {
  measuring ??= document.createElement("canvas").getContext("2d");
  measuring.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return measuring.measureText(text).width;
}

function size(box) {
  if (SMALL[box.kind]) return SMALL[box.kind];
  const wide = Math.max(width(box.title, TITLE), width(box.note ?? "", NOTE, 400)) + (box.kind === "event" ? 46 : 40);
  return [Math.min(WIDEST, Math.max(96, Math.ceil(wide))), box.note ? 44 : 32];
}

/** The diagram with places: boxes with x, y, w, h and arrows with their points and the place of their labels. */
export function laidOut(diagram) {
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 26, ranksep: 30, edgesep: 14, marginx: 14, marginy: 10 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const box of diagram.boxes.values()) {
    const [wide, high] = size(box);
    graph.setNode(box.id, { width: wide, height: high });
  }
  for (const arrow of diagram.arrows) {
    const text = arrow.label ? { width: width(arrow.label, NOTE, 400) + 10, height: 14, labelpos: "c" } : {};
    if (diagram.boxes.has(arrow.to)) graph.setEdge(arrow.from, arrow.to, { weight: WEIGHTS[arrow.kind], ...text }, arrow.kind);
  }
  layout(graph);
  const boxes = [...diagram.boxes.values()].map((box) => ({ ...box, ...graph.node(box.id) }));
  const arrows = diagram.arrows
    .filter((arrow) => diagram.boxes.has(arrow.to))
    .map((arrow) => ({ ...arrow, ...graph.edge(arrow.from, arrow.to, arrow.kind) }));
  return { boxes, arrows, ...extent(graph.graph(), boxes, arrows) };
}

/** The corner and the size of all that is drawn; labels and loops may stand out of what dagre counts. */
function extent(whole, boxes, arrows) {
  const xs = [0, whole.width ?? 0];
  for (const arrow of arrows) {
    for (const point of arrow.points) xs.push(point.x - 6, point.x + 6);
    if (arrow.label) xs.push(arrow.x - arrow.width / 2, arrow.x + arrow.width / 2);
  }
  const left = Math.min(...xs);
  return { left, wide: Math.max(...xs) - left, high: whole.height ?? 0 };
}

/** A smooth line through the points: straight at both ends, where it meets its boxes. */
function line(points) {
  const at = (point) => `${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
  if (points.length < 3) return `M${points.map(at).join("L")}`;
  let path = `M${at(points[0])}`;
  for (let index = 1; index < points.length - 1; index += 1) {
    const next = points[index + 1];
    const last = index === points.length - 2;
    const end = last ? next : { x: (points[index].x + next.x) / 2, y: (points[index].y + next.y) / 2 };
    path += `Q${at(points[index])} ${at(end)}`;
  }
  return path;
}

function tip(points) {
  const [before, end] = points.slice(-2);
  const turn = (Math.atan2(end.y - before.y, end.x - before.x) * 180) / Math.PI;
  return `translate(${end.x.toFixed(1)} ${end.y.toFixed(1)}) rotate(${turn.toFixed(1)})`;
}

function cut(text, size, most) {
  if (width(text, size) <= most) return text;
  let kept = text;
  while (kept && width(`${kept}…`, size) > most) kept = kept.slice(0, -1);
  return `${kept}…`;
}

/** `lit` is what a run has passed; `pick(node)` is called for a node that is clicked. */
export function Picture({ diagram, lit, pick, picked, label }) {
  const [natural, setNatural] = useState(false);
  const drawing = useMemo(() => laidOut(diagram), [diagram]);
  const { left, wide, high } = drawing;
  const style = natural ? { width: `${wide}px`, maxWidth: "none" } : { maxWidth: `${wide}px` };
  const dim = lit ? "lit" : "";
  return html`<figure class="picture">
    <div class="canvas" tabindex="0" aria-label=${`${label}; scrolls`}>
      <svg viewBox=${`${left} 0 ${wide} ${high}`} style=${style} class=${dim} role="group" aria-label=${label}>
        ${drawing.arrows.map((arrow) => html`<${Arrow} key=${arrow.id} arrow=${arrow} on=${lit?.arrows.has(arrow.id) ?? false} />`)}
        ${drawing.boxes.map((box) => html`<${Box} key=${box.id} box=${box} lit=${lit?.boxes.get(box.id)} pick=${pick} on=${picked === box.node && !!box.node} />`)}
      </svg>
    </div>
    ${wide > 420 && html`<figcaption><button type="button" class="plain" aria-pressed=${natural} onClick=${() => setNatural(!natural)}>${natural ? "Fit to width" : "Full size"}</button></figcaption>`}
  </figure>`;
}

function Arrow({ arrow, on }) {
  return html`<g class=${`arrow ${arrow.kind} ${on ? "on" : ""}`}>
    <path class="line" d=${line(arrow.points)} />
    <path class="tip" d="M0 0L-7 -3.6L-7 3.6Z" transform=${tip(arrow.points)} />
    ${arrow.label && html`<text x=${arrow.x} y=${arrow.y + 3.5}>${arrow.label}</text>`}
  </g>`;
}

const SPOKEN = { done: "done", failed: "failed", now: "here now", open: "waiting" };
const MARKS = { done: "M-3.5 .2l2.4 2.4 4.5-5", failed: "M-3 -3l6 6M3 -3l-6 6", now: "M-2 -3.500l5 3.5-5 3.500z", open: "M-1.7 -3v6M1.7 -3v6" };

function spoken(box, lit) {
  const parts = [box.title, box.node ? box.kind : "", box.note];
  if (lit) parts.push(SPOKEN[lit.state], lit.visits > 1 ? `${lit.visits} visits` : "", lit.attempts > 1 ? `${lit.attempts} attempts` : "");
  return parts.filter(Boolean).join(", ");
}

function Box({ box, lit, pick, on }) {
  const { x, y, width: w, height: h, kind } = box;
  const open = pick && box.node ? () => pick(box.node) : undefined;
  const keyed = (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), open());
  const role = open ? { role: "button", tabindex: 0, onClick: open, onKeyDown: keyed, "aria-pressed": on } : { role: "img" };
  const state = lit ? `is-${lit.state}` : "";
  return html`<g class=${`box ${kind} ${state} ${on ? "picked" : ""}`} transform=${`translate(${x.toFixed(1)} ${y.toFixed(1)})`}
    aria-label=${spoken(box, lit)} ...${role}>
    <title>${spoken(box, lit)}</title>
    ${shape(kind, w, h)} ${SMALL[kind] ? null : words(box, w)} ${lit && !SMALL[kind] ? badge(lit, w, h) : null}
  </g>`;
}

function shape(kind, w, h) {
  const [left, top] = [-w / 2, -h / 2];
  const frame = (more) => html`<rect class="frame" x=${left} y=${top} width=${w} height=${h} rx="5" ...${more} />`;
  if (kind === "start") return html`<circle class="dot" r=${w / 2 - 1} />`;
  if (kind === "end") return html`<circle class="ring" r=${w / 2 - 1} /><circle class="dot" r=${w / 2 - 5} />`;
  if (kind === "join") return html`<rect class="dot" x=${left} y=${top} width=${w} height=${h} rx="3" />`;
  if (kind === "map") return html`<rect class="frame behind" x=${left + 5} y=${top + 5} width=${w} height=${h} rx="5" />${frame()}`;
  if (kind === "subgraph") return html`${frame()}<rect class="inner" x=${left + 3} y=${top + 3} width=${w - 6} height=${h - 6} rx="3" />`;
  if (kind === "parallel") return html`${frame()}<path class="inner" d=${`M${left + 6} ${top + 5}V${-top - 5}M${-left - 6} ${top + 5}V${-top - 5}`} />`;
  return frame({ rx: kind === "task" ? 5 : h / 2 });
}

const ICONS = { event: "M-5.5 -4h11v8h-11zM-5.5 -4l5.5 4.5 5.5 -4.5", sleep: "M0 -5a5 5 0 1 0 .01 0M0 -2.500v2.700l2 1.3", wait: "M0 -5a5 5 0 1 0 .01 0M0 -2.500v2.700l2 1.3" };

function words(box, w) {
  const icon = ICONS[box.kind];
  const shift = icon ? 8 : 0;
  const most = w - 24 - 2 * shift;
  const title = cut(box.title, TITLE, most);
  const start = shift - width(title, TITLE) / 2 - 12;
  return html`${icon && html`<path class="icon" d=${icon} transform=${`translate(${start.toFixed(1)} ${box.note ? -7 : 0})`} />`}
    <text class="name" x=${shift} y=${box.note ? -3 : 4.5}>${title}</text>
    ${box.note && html`<text class="note" y="13">${cut(box.note, NOTE, w - 20)}</text>`}
`;
}

/** A sign at the upper right corner: what became of the box, and how often it was visited or tried. */
function badge(lit, w, h) {
  const count = lit.attempts > 1 ? `↻${lit.attempts}` : lit.visits > 1 ? `×${lit.visits}` : "";
  const wide = count ? width(count, 10.5, 600) + 7 : 0;
  return html`<g class="badge" transform=${`translate(${w / 2 - 4} ${-h / 2})`}>
    ${count && html`<rect class="count" x=${-wide - 8} y="-7.5" width=${wide + 8} height="15" rx="7.5" /><text x=${-wide / 2 - 6} y="3.7">${count}</text>`}
    <circle r="8" /><path d=${MARKS[lit.state]} />
  </g>`;
}
