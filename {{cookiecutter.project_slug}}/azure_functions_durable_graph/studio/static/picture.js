// The picture of a graph: laid out by dagre, drawn as SVG, with the path of a run lit.

import { html, useLayoutEffect, useMemo, useRef, useState } from "./vendor/htm-preact.js";
import { NOTE, TITLE, isMark, laidOut, tip, width } from "./geometry.js";

function cut(text, size, most) {
  if (width(text, size) <= most) return text;
  let kept = text;
  while (kept && width(`${kept}…`, size) > most) kept = kept.slice(0, -1);
  return `${kept}…`;
}

/** A picture is never drawn smaller than can be read: what does not fit is scrolled. */
const SMALLEST = 0.65;

/** Where a picture is larger than its place, show where the run is, or the start. */
function center(canvas, here) {
  const box = canvas.querySelector(here ? ".is-now, .is-open, .is-failed" : ".box.start");
  if (!box) return;
  const [seen, whole] = [box.getBoundingClientRect(), canvas.getBoundingClientRect()];
  canvas.scrollLeft += seen.left + seen.width / 2 - whole.left - whole.width / 2;
  canvas.scrollTop += seen.top + seen.height / 2 - whole.top - whole.height / 2;
}

/** `lit` is what a run has passed; `pick(node)` is called for a node that is clicked. */
export function Picture({ diagram, lit, pick, picked, label }) {
  const [natural, setNatural] = useState(false);
  const drawing = useMemo(() => laidOut(diagram), [diagram]);
  const { left, top, wide, high } = drawing;
  const style = natural ? { width: `${wide}px`, maxWidth: "none" } : { maxWidth: `${wide}px`, minWidth: `${wide * SMALLEST}px` };
  const canvas = useRef(null);
  const here = lit && [...lit.boxes].findLast(([, { state }]) => state !== "done")?.[0];
  useLayoutEffect(() => center(canvas.current, here), [drawing, here, natural]);
  const dim = lit ? "lit" : "";
  return html`<figure class="picture">
    <div class="canvas" ref=${canvas} tabindex="0" aria-label=${`${label}; scrolls`}>
      <svg viewBox=${`${left} ${top} ${wide} ${high}`} style=${style} class=${dim} role="group" aria-label=${label}>
        ${drawing.arrows.map((arrow) => html`<${Arrow} key=${arrow.id} arrow=${arrow} on=${lit?.arrows.has(arrow.id) ?? false} />`)}
        ${drawing.boxes.map((box) => html`<${Box} key=${box.id} box=${box} lit=${lit?.boxes.get(box.id)} pick=${pick} on=${picked === box.node && !!box.node} />`)}
      </svg>
    </div>
    <figcaption><${Legend} arrows=${drawing.arrows} />
      ${wide > 420 && html`<button type="button" class="plain" aria-pressed=${natural} onClick=${() => setNatural(!natural)}>${natural ? "Fit to width" : "Full size"}</button>`}</figcaption>
  </figure>`;
}

const LEGEND = [["error", "on an error"], ["late", "when time is up"]];

/** What the lines mean that are not solid. */
function Legend({ arrows }) {
  const used = LEGEND.filter(([kind]) => arrows.some((arrow) => arrow.kind === kind));
  return used.map(([kind, text]) => html`<span class="hint legend"><svg viewBox="0 0 26 8" class=${`arrow ${kind}`} aria-hidden="true"><path class="line" d="M0 4h26" /></svg> ${text}</span>`);
}

function Arrow({ arrow, on }) {
  return html`<g class=${`arrow ${arrow.kind} ${on ? "on" : ""}`}>
    <path class="line" d=${arrow.path} />
    <path class="tip" d="M0 0L-8 -3.8L-8 3.8Z" transform=${tip(arrow)} />
    ${arrow.label && html`<rect class="halo" x=${arrow.x - arrow.width / 2 + 2} y=${arrow.y - 8} width=${arrow.width - 4} height="16" rx="3" /><text x=${arrow.x} y=${arrow.y + 3.5}>${arrow.label}</text>`}
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
    ${shape(kind, w, h)} ${isMark(kind) ? null : words(box, w)} ${lit && !isMark(kind) ? badge(lit, w, h) : null}
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
