// One run: where it is, what it asks, the path that it took, and each of its steps.

import { html, useEffect, useMemo, useState } from "./vendor/htm-preact.js";
import { Problem, get, manifestOf, path } from "./api.js";
import { Answers } from "./answers.js";
import { diagram, passed, waitsMet } from "./diagram.js";
import { link, useLoaded, useNow, usePoll } from "./live.js";
import { Picture } from "./picture.js";
import { withStates } from "./states.js";
import { Steps } from "./steps.js";
import { Empty, FINISHED, Failure, Fold, Json, Status } from "./ui.js";
import { Ago, Time, ago, parse, span } from "./times.js";
import { Restart, Verbs } from "./verbs.js";

const QUICK = 1000;
const CALM = 3000;

/** The run with its history, which is asked for only when the run has moved. */
async function loadRun(id, signal, before) {
  const view = await get(path`runs/${id}`, { signal });
  const moved = JSON.stringify(view) !== JSON.stringify(before?.view);
  return moved ? { view, history: await get(path`runs/${id}/history`, { signal }) } : before;
}

function pause({ view }) {
  if (FINISHED.has(view.status)) return null;
  return ["pending", "running"].includes(view.status) ? QUICK : CALM;
}

export function Run({ id, query, say }) {
  const { data, error, refresh } = usePoll((signal, before) => loadRun(id, signal, before), pause, id);
  if (!data) return html`<h1 class="id">${id}</h1>${error ? html`<${Missing} error=${error} again=${refresh} />` : html`<p class="hint" role="status">Loading …</p>`}`;
  return html`<${Failure} error=${error} again=${refresh} /><${Shown} key=${id} ...${data} refresh=${refresh} say=${say} parent=${query.of} />`;
}

function Missing({ error, again }) {
  if (error.status !== 404) return html`<${Failure} error=${error} again=${again} />`;
  return html`<${Empty} title="There is no such run.">It was deleted, or belongs to another app. Back to <a href="#/runs">all runs</a>.<//>`;
}

function Shown({ view, history, refresh, say, parent }) {
  const over = FINISHED.has(view.status);
  const now = useNow(over ? 60000 : 1000);
  const answer = useLoaded(() => manifestOf(view.graph, view.graph_hash).catch(() => manifestOf(view.graph)), `${view.graph} ${view.graph_hash}`);
  const manifest = answer.data?.manifest;
  const steps = useMemo(() => withStates(history), [history]);
  const [open, setOpen] = useState(null);
  const [restarting, setRestarting] = useState(null);
  const [refused, setRefused] = useState(null);
  const run = useMemo(() => ({ id: view.id, node: view.node, status: view.status, over, sleeping: view.status === "sleeping", started_at: view.started_at }), [view, over]);
  useEffect(() => {
    document.title = `${view.status} · ${view.id}`;
  }, [view.status, view.id]);
  useEffect(() => {
    const failed = steps.findIndex((step) => step.error && !step.branch && view.status === "failed");
    if (failed >= 0) setOpen(failed);
  }, [view.status]);
  const fail = (error) => setRefused(error);
  const told = (text) => {
    setRefused(null);
    say(text);
  };
  const state = steps.at(-1)?.before;
  const verbs = { view: { ...view, state_at_start: history.state }, history, refresh, say: told, fail };
  return html`<header class="run-head">
      <nav class="crumbs" aria-label="Where you are"><a href="#/runs">Runs</a> / ${parent && html`<a class="id" href=${link(["runs", parent])}>${parent}</a> / `}<a href=${link(["runs"], { graph: view.graph })}>${view.graph}</a></nav>
      <div class="title"><h1 class="id">${view.id}</h1><${Status} of=${view.status} /></div>
      <${Facts} view=${view} end=${over ? Math.max(...steps.flatMap((step) => [parse(step.finished_at), parse(step.wait?.until)]).filter(Boolean), parse(view.updated_at)) : now} over=${over} />
      <${Verbs} ...${verbs} />
      <${Failure} error=${refused} />
    </header>
    <${Standing} view=${view} now=${now} answer=${answer} />
    <div class="columns">
      <${Answers} view=${view} manifest=${manifest} now=${now} refresh=${refresh} say=${told} />
      <section class="seen" aria-label="Path"><${Path} view=${view} answer=${answer} steps=${steps} run=${run} open=${open} setOpen=${setOpen} /></section>
      <section class="told" aria-label="Steps">
        <h2>Steps ${history.steps_not_shown > 0 && html`<small class="hint">the first ${history.steps_not_shown} are no longer known</small>`}</h2>
        ${history.incomplete && html`<p class="hint">${history.incomplete}</p>`}
        ${steps.length
          ? html`<${Steps} run=${run} steps=${steps} open=${open} setOpen=${setOpen} now=${now} restart=${setRestarting} />`
          : html`<${Empty} title="No step is finished yet.">The run is ${view.status}; this page follows it.<//>`}
        <${Discarded} events=${history.events} />
      </section>
    </div>
    <section class="values" aria-label="Values">
      <${Fold} title=${view.output ? "Output" : "State"} open=${view.status === "completed"}><${Json} value=${view.output ?? view.state ?? state} label="state" /><//>
      <${Fold} title="Input"><${Json} value=${view.input} label="input" /><//>
      ${Object.keys(view.metadata ?? {}).length > 0 && html`<${Fold} title="Metadata"><${Json} value=${view.metadata} label="metadata" /><//>`}
    </section>
    ${restarting && html`<${Restart} view=${view} step=${restarting} last=${lastVisit(steps, restarting)} schema=${answer.data?.state_schema} close=${() => setRestarting(null)} say=${told} />`}`;
}

function lastVisit(steps, step) {
  return !steps.some((other) => other.node === step.node && other.step > step.step);
}

function Facts({ view, over, end }) {
  const took = end - parse(view.started_at);
  return html`<p class="facts">
    <span>version ${view.version} <span class="id hint" title=${view.graph_hash}>${view.graph_hash.slice(0, 8)}</span></span>
    <span>started <${Ago} at=${view.started_at} /></span>
    <span>${over ? "took" : "for"} <b class="number">${span(took)}</b></span>
    ${view.origin && html`<span>${view.origin.verb} of <a class="id" href=${link(["runs", view.origin.run])}>${view.origin.run}</a>${view.origin.node && ` from ${view.origin.node}`}</span>`}
    ${Object.entries(view.tags ?? {}).map(([name, value]) => html`<a class="tag" href=${link(["runs"], { tag: `${name}=${value}` })}>${name}=${value}</a>`)}
  </p>`;
}

/** Why a run stands still, and until when; or how it has ended. */
function Standing({ view, now, answer }) {
  const until = (at) => html`until <b><${Time} at=${at} /></b> (${ago(at, now)})`;
  const lines = [];
  if (view.error) lines.push(html`<p><b class="bad">${view.error.type}</b> in the ${view.error.where} of ${view.error.node}: ${String(view.error.message).split("\n")[0]}</p>`);
  if (view.parked) lines.push(html`<p><b>Parked.</b> ${view.parked} It checks again from time to time: deploy that version, and the run continues.</p>`);
  if (view.status === "sleeping" && view.sleeps_until) lines.push(html`<p><b>Sleeping</b> at ${view.node} ${until(view.sleeps_until)}.</p>`);
  if (view.retry) lines.push(html`<p><b>Retrying</b> ${view.node}: attempt ${view.retry.attempt ?? ""} ended with ${view.retry.error ?? "an error"}; the next one begins ${span(1000 * (view.retry.pause ?? 0))} after it.</p>`);
  if (view.status === "suspended") lines.push(html`<p><b>Suspended.</b> Nothing begins until it is resumed; events are kept.</p>`);
  if (view.reason) lines.push(html`<p><b>Cancelled:</b> ${String(view.reason)}</p>`);
  if (view.fan_out && !FINISHED.has(view.status)) lines.push(html`<p>${view.fan_out.done} of ${view.fan_out.of} are done at ${view.node}${view.fan_out.failed ? `, ${view.fan_out.failed} of them failed` : ""}.</p>`);
  for (const report of view.progress ?? []) lines.push(html`<p><b>${report.branch ?? report.node}</b>${report.item === undefined ? "" : ` item ${report.item}`}: <${Progress} value=${report.value} /></p>`);
  if (view.note && !view.waits.length) lines.push(html`<p>“${view.note}”</p>`);
  for (const child of view.children ?? []) lines.push(html`<p>${child.node} runs as <a class="id" href=${link(["runs", child.id], { of: view.id })}>${child.id}</a>.</p>`);
  if (view.incomplete) lines.push(html`<p class="hint">${view.incomplete}</p>`);
  if (answer.data && answer.data.graph_hash !== view.graph_hash) {
    lines.push(html`<p class="hint">The picture shows version ${answer.data.version}: this run's own version is not deployed.</p>`);
  }
  return lines.length ? html`<section class=${`standing s-${view.status}`} aria-label="Status of the run">${lines}</section>` : null;
}

/** What a running node says of itself: a fraction, or a few values. */
function Progress({ value }) {
  if (typeof value !== "number") return Object.entries(value ?? {}).map(([name, one]) => `${name} ${typeof one === "string" ? one : JSON.stringify(one)}`).join(", ");
  return html`<progress max="1" value=${value}></progress> ${Math.round(value * 100)} %`;
}

function Path({ view, answer, steps, run, open, setOpen }) {
  const drawing = answer.data?.drawing;
  const met = JSON.stringify(drawing ? waitsMet(drawing, steps.filter((step) => !step.branch), view.waits) : []);
  const drawn = useMemo(() => drawing && diagram(drawing, JSON.parse(met)), [drawing, met]);
  const parts = useParts(steps);
  const lit = useMemo(() => drawn && passed(drawn, steps, run, parts), [drawn, steps, run, parts]);
  if (answer.error instanceof Problem) return html`<${Empty} title="No picture.">The graph ${view.graph} is no longer deployed; the steps show the path.<//>`;
  if (!drawn) return html`<p class="hint">Drawing …</p>`;
  const pick = (node) => {
    const index = steps.findLastIndex((step) => step.node === node);
    setOpen(index < 0 || index === open ? null : index);
    setTimeout(() => document.querySelector(".step.open")?.scrollIntoView({ block: "nearest" }), 50);
  };
  return html`<${Picture} diagram=${drawn} lit=${lit} pick=${pick} picked=${steps[open]?.node} label=${`Path of the run through ${view.graph}`} />`;
}

const NONE = [];

/** The branches that are runs of their own, with their steps. */
function useParts(steps) {
  const begun = steps.filter((step) => step.branch && step.child);
  const key = begun.map((step) => `${step.child} ${step.finished_at}`).join() || null;
  const load = (step) => loadRun(step.child).then(({ view, history }) => {
    const parent = steps.find((one) => one.step === step.step && !one.branch);
    const run = { ...view, over: FINISHED.has(view.status), sleeping: view.status === "sleeping", join: parent && `join:${parent.node}` };
    return { run, steps: history.steps };
  });
  return useLoaded(() => Promise.all(begun.map(load)), key).data ?? NONE;
}

function Discarded({ events }) {
  const lost = events.filter((event) => event.outcome === "discarded");
  if (!lost.length) return null;
  return html`<${Fold} title=${`${lost.length} discarded ${lost.length === 1 ? "event" : "events"}`}>
    <ul>${lost.map((event) => html`<li><b>${event.event}</b> <${Time} at=${event.at} />: nobody was waiting for it, or another answer came first</li>`)}</ul><//>`;
}
