// Small parts that every view uses. Text from users only ever becomes text nodes: nothing here writes markup.

import { html, useEffect, useRef, useState } from "./vendor/htm-preact.js";

/** Each status by its sign, in a box of 12 by 12, so that its colour never stands alone. */
const SIGNS = {
  pending: "M6 2a4 4 0 1 0 .01 0",
  running: "M3.5 2l6 4-6 4z",
  waiting: "M4 4.2a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1M6 9.3v.2",
  sleeping: "M9.8 7.4A4.3 4.3 0 1 1 4.8 2a3.5 3.5 0 0 0 5 5.4z",
  parked: "M3.8 10.5v-9h2.7a2.5 2.5 0 0 1 0 5H3.8",
  suspended: "M4 2.5v7M8 2.5v7",
  completed: "M2.2 6.3l2.7 2.7 5-6",
  failed: "M2.8 2.8l6.4 6.4M9.2 2.8l-6.4 6.4",
  cancelled: "M6 1.8a4.2 4.2 0 1 0 .01 0M3.1 8.9l5.8-5.8",
  retry: "M9.8 4.5A4.2 4.2 0 1 0 10.2 6.5M10 1.8v2.9H7.1",
};

export const STATUSES = Object.keys(SIGNS).slice(0, 9);
export const FINISHED = new Set(["completed", "failed", "cancelled"]);

export function Sign({ of }) {
  return html`<svg class=${`sign s-${of}`} viewBox="0 0 12 12" aria-hidden="true"><path d=${SIGNS[of] ?? SIGNS.pending} /></svg>`;
}

export function Status({ of }) {
  return html`<span class=${`status s-${of}`}><${Sign} of=${of} />${of}</span>`;
}

/** What to do where there is nothing to see. */
export function Empty({ title, children }) {
  return html`<div class="empty"><p><strong>${title}</strong></p><p>${children}</p></div>`;
}

export function Failure({ error, again }) {
  if (!error) return null;
  return html`<div class="failure" role="alert">
    <strong>${error.title ?? "Something went wrong"}.</strong> ${error.message}
    ${again && html` <button type="button" class="plain" onClick=${again}>Try again</button>`}
  </div>`;
}

/** A button that copies a text, and says so. */
export function Copy({ text, label = "Copy", title }) {
  const [done, setDone] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? await text() : text);
      setDone("Copied");
    } catch {
      setDone("Not copied: the browser does not allow it");
    }
    setTimeout(() => setDone(""), 2000);
  };
  return html`<button type="button" onClick=${copy} title=${title} aria-live="polite">${done || label}</button>`;
}

const LONGEST = 20000;

export function pretty(value) {
  return value === undefined ? "" : JSON.stringify(value, null, 2);
}

/** A JSON value as text. A very long one is cut, with a button that shows it whole. */
export function Json({ value, label }) {
  const [whole, setWhole] = useState(false);
  const text = pretty(value);
  const cut = text.length > LONGEST && !whole;
  return html`<pre class="json" tabindex="0" aria-label=${label}>${cut ? text.slice(0, LONGEST) : text}</pre>
    ${cut && html`<button type="button" onClick=${() => setWhole(true)}>Show all ${text.length} characters</button>`}`;
}

export function Fold({ title, open = false, children }) {
  return html`<details open=${open} class="fold"><summary>${title}</summary>${children}</details>`;
}

/** A modal dialog: the browser keeps the focus in it, and gives it back. */
export function Dialog({ title, onClose, children, wide }) {
  const element = useRef(null);
  useEffect(() => {
    const before = document.activeElement;
    element.current.showModal();
    element.current.querySelector("form :is(input, select, textarea), button.main")?.focus();
    return () => before?.focus?.();
  }, []);
  const outside = (event) => event.target === element.current && element.current.close();
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} onClose=${onClose} onMouseDown=${outside} aria-label=${title}>
    <div class="inside">
      <header><h2>${title}</h2><button type="button" class="plain" aria-label="Close" onClick=${onClose}>✕</button></header>
      ${children}
    </div>
  </dialog>`;
}

/** A button that asks the app for something, shows that it is under way, and what was refused. */
export function Act({ label, run, title, kind = "", disabled = false, onError }) {
  const [busy, setBusy] = useState(false);
  const click = async () => {
    setBusy(true);
    try {
      await run();
    } catch (error) {
      onError?.(error);
    } finally {
      setBusy(false);
    }
  };
  const off = busy || disabled;
  return html`<button type="button" class=${kind} title=${title} disabled=${off} aria-busy=${busy} onClick=${click}>${label}</button>`;
}
