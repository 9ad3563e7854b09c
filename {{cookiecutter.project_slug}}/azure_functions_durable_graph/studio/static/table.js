// The table of runs. Only the rows in sight, and a few beside them, are in the page, whatever their number.

import { Component, html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/htm-preact.js";
import { link, useNow } from "./live.js";
import { Status } from "./ui.js";
import { ago, local, parse, span, utc } from "./times.js";

const TITLES = ["Status", "Run", "Graph", "At", "Started", "Took", "Tags and errors"];
const BESIDE = 16;
const STRIDE = 8;
const COVERED = 42;
const HIGH = 34;
const LINES = { few: 56, more: 78 };
const NARROW = matchMedia("(max-width: 860px)");

/** `waiting` and `others` are the runs of both parts of the table, in their order. */
export function Table({ waiting, others }) {
  const now = useNow();
  const narrow = useNarrow();
  const rows = useMemo(() => [...rowsOf("Waiting for an answer", waiting), ...(waiting.length ? rowsOf("Others", others) : others.map(rowOf))], [waiting, others]);
  const tops = useMemo(() => placesOf(rows, narrow), [rows, narrow]);
  const body = useRef(null);
  const shown = useSight(body, rows, tops);
  return html`<div class="table" role="table" aria-label="Runs" aria-rowcount=${rows.length + 1}>
    <div role="rowgroup"><div class="head" role="row" aria-rowindex="1">
      ${TITLES.map((title) => html`<span role="columnheader">${title}</span>`)}
    </div></div>
    <div class="rows" role="rowgroup" ref=${body} style=${{ height: `${tops[rows.length]}px` }}>
      ${shown.map((index) => html`<${rows[index].run ? RunRow : PartRow} key=${rows[index].key} ...${rows[index]} index=${index} top=${tops[index]} high=${tops[index + 1] - tops[index]} now=${tick(rows[index].run, now)} />`)}
    </div>
  </div>`;
}

const rowOf = (run) => ({ key: run.id, run });

function rowsOf(title, runs) {
  return runs.length ? [{ key: `part ${title}`, title, count: runs.length }, ...runs.map(rowOf)] : [];
}

/** Where each row begins, and the last one ends. On a phone a row has two lines, and a third one for tags and errors. */
function placesOf(rows, narrow) {
  const tops = [0];
  for (const { run } of rows) {
    const more = run && (run.error || Object.keys(run.tags ?? {}).length);
    tops.push(tops.at(-1) + (!narrow || !run ? HIGH : more ? LINES.more : LINES.few));
  }
  return tops;
}

/** The last row that begins at or above a height. */
function rowAt(tops, height) {
  let [low, high] = [0, tops.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (tops[middle] <= height) low = middle;
    else high = middle - 1;
  }
  return low;
}

function useNarrow() {
  const [narrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const changed = () => setNarrow(NARROW.matches);
    NARROW.addEventListener("change", changed);
    return () => NARROW.removeEventListener("change", changed);
  }, []);
  return narrow;
}

/**
 * The indexes of the rows to draw: those in sight, a few beside them, and the one that has the focus, which would be
 * lost with it. What is in sight stays where it is when rows above it come or go.
 */
function useSight(body, rows, tops) {
  const [sight, setSight] = useState([0, 0]);
  const before = useRef({ rows, tops, sight });
  const above = () => COVERED - body.current.getBoundingClientRect().top;
  const look = () => {
    if (!body.current) return;
    const from = Math.max(0, Math.floor((rowAt(tops, above()) - BESIDE) / STRIDE) * STRIDE);
    const to = from + Math.ceil(innerHeight / HIGH) + 2 * BESIDE + STRIDE;
    setSight((old) => (old[0] === from && old[1] === to ? old : [from, to]));
  };
  useLayoutEffect(() => {
    if (above() > COVERED) scrollBy(0, shifted(before.current, { rows, tops }, above()));
    before.current = { ...before.current, rows, tops };
    look();
  }, [rows, tops]);
  useEffect(() => {
    const options = { passive: true };
    addEventListener("scroll", look, options);
    addEventListener("resize", look, options);
    return () => {
      removeEventListener("scroll", look, options);
      removeEventListener("resize", look, options);
    };
  }, [tops]);
  const held = body.current?.contains(document.activeElement) ? document.activeElement.id : "";
  const [, draw] = useState(0);
  useLayoutEffect(() => {
    if (before.current.sight !== sight) draw((count) => count + 1);
    before.current.sight = sight;
    if (held && document.activeElement.id !== held) document.getElementById(held)?.focus({ preventScroll: true });
  });
  // What comes is drawn before what goes is taken away: only then does Preact leave the rows that stay where they are.
  const indexes = new Set([sight, before.current.sight].flatMap(([from, to]) => range(from, Math.min(to, rows.length))));
  const kept = held ? rows.findIndex(({ run }) => run && rowId(run) === held) : -1;
  if (kept >= 0) indexes.add(kept);
  return [...indexes].sort((one, other) => one - other);
}

const range = (from, to) => Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index);
const rowId = (run) => `row:${run.id}`;

/** How far what is in sight has moved: by the first row in sight that is still there. */
function shifted(old, { rows, tops }, above) {
  const places = new Map(rows.map(({ key }, index) => [key, index]));
  for (let index = rowAt(old.tops, above); index < old.rows.length; index += 1) {
    const now = old.rows[index].run && places.get(old.rows[index].key);
    if (now !== undefined) return tops[now] - old.tops[index];
  }
  return 0;
}

/** The time that a row shows moves by the second for a minute, then by the minute: rows that say the same are not drawn. */
function tick(run, now) {
  const grain = run && now - parse(run.started_at) < 60000 ? 1000 : 60000;
  return Math.floor(now / grain) * grain;
}

class PlacedRow extends Component {
  shouldComponentUpdate(next) {
    return Object.keys(next).some((name) => next[name] !== this.props[name]);
  }

  place() {
    const { index, top, high } = this.props;
    return { role: "row", "aria-rowindex": index + 2, style: { top: `${top}px`, height: `${high}px` } };
  }
}

class PartRow extends PlacedRow {
  render({ title, count }) {
    return html`<div class="part" ...${this.place()}><span role="rowheader">${title} <span class="count">${count}</span></span></div>`;
  }
}

class RunRow extends PlacedRow {
  render({ run, now }) {
    const over = ["completed", "failed", "cancelled"].includes(run.status);
    const seen = Math.max(now, parse(run.started_at));
    const took = (over ? parse(run.updated_at) : seen) - parse(run.started_at);
    return html`<div class="line" ...${this.place()}>
      <span role="cell"><${Status} of=${run.status} /></span>
      <span role="cell"><a class="id" id=${rowId(run)} href=${link(["runs", run.id])}>${run.id}</a></span>
      <span role="cell">${run.graph} <span class="hint">${run.version}</span></span>
      <span role="cell">${over && run.status !== "failed" ? "" : run.node}</span>
      <span role="cell"><time datetime=${run.started_at} title=${`${local(run.started_at, 0)} here, ${utc(run.started_at)}`}>${ago(run.started_at, seen)}</time></span>
      <span role="cell" class="number">${Number.isNaN(took) ? "" : took < 1000 ? "< 1 s" : span(took)}</span>
      <span role="cell" class="rest">${Object.entries(run.tags ?? {}).map(([name, value]) => html`<span class="tag">${name}=${value}</span>`)}${run.error && html`<span class="bad">${run.error}</span>`}</span>
    </div>`;
  }
}
