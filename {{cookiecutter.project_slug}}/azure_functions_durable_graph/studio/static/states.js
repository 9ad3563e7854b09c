// The state of a run before and after each step, and what a step has changed.

import { html, useMemo } from "./vendor/htm-preact.js";
import diff from "./vendor/microdiff.js";

/** Each step with the states before and after it; both are undefined where the history does not say. */
export function withStates(history) {
  let state = history.state;
  const all = history.steps.map((step) => {
    if (step.branch) return { ...step, before: state, after: applied(state, step) };
    const known = state && !("patch" in step || "error" in step || step.started_at) ? undefined : state;
    const found = { ...step, before: known, after: known && applied(known, step) };
    state = found.after ?? state;
    return found;
  });
  return all.sort((one, other) => one.step - other.step || (one.branch ? 1 : 0) - (other.branch ? 1 : 0));
}

function applied(state, step) {
  if (!state) return undefined;
  const next = { ...state, ...step.patch };
  for (const name of step.unset ?? []) delete next[name];
  return next;
}

/** `documents[0].name`. An exact number is compared as the text that it has. */
function spelled(path) {
  return path.filter((part) => part !== "rawJSON").map((part, index) => (typeof part === "number" ? `[${part}]` : index ? `.${part}` : part)).join("");
}

const MARKED = { CREATE: "+", REMOVE: "−", CHANGE: "~" };
const WORDS = { CREATE: "added", REMOVE: "removed", CHANGE: "changed" };

export function Diff({ before, after }) {
  const changes = useMemo(() => diff(before ?? {}, after ?? {}), [before, after]);
  if (!changes.length) return html`<p class="hint">This step changed nothing.</p>`;
  return html`<table class="diff">
    <thead><tr><th><span class="unseen">What</span></th><th>Field</th><th>Before</th><th>After</th></tr></thead>
    <tbody>${changes.slice(0, 200).map((change) => html`<tr class=${change.type.toLowerCase()}>
      <td title=${WORDS[change.type]}><span aria-hidden="true">${MARKED[change.type]}</span><span class="unseen">${WORDS[change.type]}</span></td>
      <th scope="row">${spelled(change.path)}</th>
      <td>${change.type === "CREATE" ? "" : html`<del>${shown(change.oldValue)}</del>`}</td>
      <td>${change.type === "REMOVE" ? "" : html`<ins>${shown(change.value)}</ins>`}</td>
    </tr>`)}</tbody>
  </table>
  ${changes.length > 200 && html`<p class="hint">and ${changes.length - 200} more changes; see the state after.</p>`}`;
}

function shown(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 1);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
