// Times as people read them: in the reader's zone, with the exact UTC on hover.

import { html } from "./vendor/htm-preact.js";
import { useNow } from "./live.js";

const CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
const DAY = { day: "numeric", month: "short" };
const SIZES = [
  ["d", 86400000],
  ["h", 3600000],
  ["min", 60000],
  ["s", 1000],
];

/** A time of the API in milliseconds, NaN if it is none. One without a zone is UTC. */
export function parse(text) {
  if (typeof text !== "string") return NaN;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`;
  return Date.parse(zoned.replace(/(\.\d{3})\d+/, "$1"));
}

/** A length of time: `350 ms`, `4.2 s`, `3 min 20 s`, `2 d 4 h`. */
export function span(milliseconds) {
  const amount = Math.max(0, milliseconds);
  if (amount < 1000) return `${Math.round(amount)} ms`;
  if (amount < 10000) return `${(amount / 1000).toFixed(1).replace(/\.0$/, "")} s`;
  const first = SIZES.findIndex(([, size]) => amount >= size);
  const [unit, size] = SIZES[first];
  const whole = Math.floor(amount / size);
  const [lesser, small] = SIZES[first + 1] ?? ["", 0];
  const rest = small ? Math.floor((amount - whole * size) / small) : 0;
  return rest && whole < 10 ? `${whole} ${unit} ${rest} ${lesser}` : `${whole} ${unit}`;
}

export function utc(text) {
  const time = parse(text);
  return Number.isNaN(time) ? String(text) : new Date(time).toISOString().replace("T", " ").replace("Z", " UTC");
}

/** A point in time in the reader's zone; the day only if it is another one. */
export function local(text, now = Date.now()) {
  const time = parse(text);
  if (Number.isNaN(time)) return String(text ?? "");
  const moment = new Date(time);
  const today = new Date(now).toDateString() === moment.toDateString();
  const year = moment.getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" };
  return moment.toLocaleString(undefined, today ? CLOCK : { ...DAY, ...year, ...CLOCK });
}

/** How long ago, or how long until. */
export function ago(text, now) {
  const passed = now - parse(text);
  if (Number.isNaN(passed)) return "";
  if (Math.abs(passed) < 1500) return "now";
  return passed > 0 ? `${coarse(passed)} ago` : `in ${coarse(-passed)}`;
}

function coarse(milliseconds) {
  const [unit, size] = SIZES.find(([, length]) => milliseconds >= length) ?? SIZES[3];
  return `${Math.floor(milliseconds / size)} ${unit}`;
}

export function Time({ at }) {
  if (!at) return null;
  return html`<time datetime=${at} title=${utc(at)}>${local(at)}</time>`;
}

export function Ago({ at }) {
  const now = useNow();
  if (!at) return null;
  return html`<time datetime=${at} title=${`${local(at, 0)} here, ${utc(at)}`}>${ago(at, now)}</time>`;
}
