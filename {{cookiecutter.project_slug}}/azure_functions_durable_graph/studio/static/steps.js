// The steps of a run as a timeline to scale; one that is opened shows its change, its states, its failures.

import { html } from "./vendor/htm-preact.js";
import { link } from "./live.js";
import { Act, Fold, Json, Sign } from "./ui.js";
import { Diff } from "./states.js";
import { Time, parse, span } from "./times.js";

const NAMES = { branch: "branch", map: "map", parallel: "parallel", subgraph: "subgraph", wait: "pause" };

export function Steps({ run, steps, open, setOpen, now, restart }) {
  const scale = scaleOf(run, steps, now);
  return html`<ol class="steps">
    ${steps.map((step, index) => html`<${Step} key=${`${step.step}-${step.branch ? step.node : ""}`} step=${step} run=${run} scale=${scale} now=${now}
      open=${open === index} toggle=${() => setOpen(open === index ? null : index)} restart=${restart} />`)}
  </ol>`;
}

function scaleOf(run, steps, now) {
  const from = parse(steps.find((step) => step.started_at)?.started_at ?? run.started_at);
  const ends = steps.flatMap((step) => [step.finished_at, step.wait?.until]).map(parse).filter((time) => !Number.isNaN(time));
  const to = Math.max(from + 1, ...ends, run.over ? 0 : now);
  return { from, length: to - from };
}

/** A bar of the timeline in percent, wide enough to be seen. */
function bar(scale, from, to) {
  const start = Math.min(99, Math.max(0, ((from - scale.from) / scale.length) * 100));
  const wide = Math.max(0.8, ((to - from) / scale.length) * 100);
  return { left: `${start.toFixed(2)}%`, width: `${Math.min(100 - start, wide).toFixed(2)}%` };
}

function Step({ step, run, scale, now, open, toggle, restart }) {
  const began = parse(step.started_at);
  const ended = parse(step.finished_at);
  const state = step.error ? "failed" : Number.isNaN(ended) ? "running" : "completed";
  const took = ended - began;
  const waited = step.wait && parse(step.wait.since);
  const answered = step.wait && (step.wait.until ? parse(step.wait.until) : run.over ? ended : now);
  return html`<li class=${`step ${open ? "open" : ""} ${step.branch ? "branch" : ""}`}>
    <button type="button" class="bar-line" aria-expanded=${open} onClick=${toggle}>
      <span class="number">${step.branch ? "" : step.step}</span>
      <${Sign} of=${state} /><span class="unseen">${state}</span>
      <span class="name">${step.node}${NAMES[step.kind] ? html` <small>${NAMES[step.kind]}${step.items ? ` of ${step.items}` : ""}</small>` : ""}${step.attempts > 1 ? html` <small class="tries">${step.attempts} attempts</small>` : ""}</span>
      <span class="track" aria-hidden="true">
        ${!Number.isNaN(began) && html`<i class=${`bar b-${state}`} style=${bar(scale, began, Number.isNaN(ended) ? (run.over ? began : now) : ended)}></i>`}
        ${waited > 0 && html`<i class=${`bar b-wait ${step.wait.outcome === "open" ? "b-open" : ""}`} style=${bar(scale, waited, answered)}></i>`}
      </span>
      <span class="number took">${Number.isNaN(took) ? "" : span(took)}</span>
    </button>
    ${!(open && step.error) && html`<${Then} step=${step} run=${run} now=${now} />`}
    ${open && html`<${Details} step=${step} run=${run} restart=${restart} />`}
  </li>`;
}

/** What followed a step, where it is more than the next one. */
function Then({ step, run, now }) {
  const wait = step.wait;
  const parts = [];
  if (step.event) parts.push(html`took <b>${step.event}</b>`);
  if (step.error) parts.push(html`<b class="bad">${step.error.type}</b> ${firstLine(step.error.message)}`);
  if (step.note) parts.push(html`“${step.note}”`);
  if (wait?.outcome === "open") parts.push(html`waits for <b>${wait.events.join(" or ")}</b>${wait.deadline && html` until <${Time} at=${wait.deadline} />`}`);
  else if (wait) {
    const length = span(parse(wait.until) - parse(wait.since));
    parts.push(wait.outcome === "answered" ? html`<b>${wait.answered_by}</b> came after ${length}` : html`no ${wait.events.join(" or ")} within ${length}`);
  }
  if (step.sleeps_until) parts.push(html`${parse(step.sleeps_until) > now ? "sleeps" : "slept"} until <${Time} at=${step.sleeps_until} />`);
  if (step.child) parts.push(html`as run <a class="id" href=${link(["runs", step.child], { of: run.id })}>${step.child}</a>`);
  if (!parts.length) return null;
  return html`<p class="then">${parts.map((part, index) => html`${index ? " · " : ""}${part}`)}</p>`;
}

function firstLine(text) {
  const line = String(text ?? "").split("\n")[0];
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

function Details({ step, run, restart }) {
  const known = step.before !== undefined;
  return html`<div class="details">
    ${step.started_at && html`<p class="hint">from <${Time} at=${step.started_at} />${step.finished_at && html` to <${Time} at=${step.finished_at} />`}${step.to?.length > 0 && `, then ${step.to.join(", ")}`}</p>`}
    ${step.error && html`<${Wrong} error=${step.error} />`}
    ${(step.failures ?? []).map((failure, index) => html`<${Fold} title=${`Attempt ${index + 1}: ${failure.error?.type ?? "no result"}`}>
      <p class="hint"><${Time} at=${failure.at} /></p>${failure.error && html`<${Wrong} error=${failure.error} />`}<//>`)}
    ${known && !(step.error && !step.patch) && html`<${Diff} before=${step.before} after=${step.after} />`}
    ${step.writes && html`<${Fold} title="Written for the reducers"><${Json} value=${step.writes} label="writes" /><//>`}
    ${known ? html`<${Fold} title="State before"><${Json} value=${step.before} label="state before" /><//>
      ${step.after !== step.before && step.patch && html`<${Fold} title="State after"><${Json} value=${step.after} label="state after" /><//>`}`
      : html`<p class="hint">The state at this step is no longer known: the run has continued as new since.</p>`}
    ${restart && !step.branch && html`<div class="row"><${Act} label="Restart from here …" title="A new run that begins at this step; you can edit the state" run=${async () => restart(step)} /></div>`}
  </div>`;
}

/** An error: its text, where it was raised, and the errors within it. */
export function Wrong({ error }) {
  return html`<div class="wrongs">
    <p><b class="bad">${error.type}</b> ${error.where && html`<span class="hint">in the ${error.where}${error.node ? ` of ${error.node}` : ""}</span>`}</p>
    <pre>${error.message}</pre>
    ${error.frames?.length > 0 && html`<ol class="frames">${error.frames.map((frame) => html`<li>${frame}</li>`)}</ol>`}
    ${(error.errors ?? []).map((inner) => html`<${Wrong} error=${inner} />`)}
  </div>`;
}
