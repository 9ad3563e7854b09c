// The list of runs: fresh, filtered, what waits for a person first.

import { Component, html, useEffect, useMemo, useState } from "./vendor/htm-preact.js";
import { get, path } from "./api.js";
import { link, useLoaded, useNow, usePoll } from "./live.js";
import { Empty, Failure, STATUSES, Status } from "./ui.js";
import { ago, local, parse, span, utc } from "./times.js";

const MOST = 1000;
const PAGE = 200;
const ASKED = 12;
const HOUR = 3600000;
const SPANS = { "1h": ["the last hour", HOUR], "1d": ["the last day", 24 * HOUR], "7d": ["the last 7 days", 168 * HOUR] };

export function Runs({ query }) {
  const filter = { graph: "", status: "", tag: "", since: "", id: "", ...query };
  const server = JSON.stringify([filter.graph, filter.status, filter.tag, filter.since]);
  const { data, error, refresh } = usePoll((signal) => loadRuns(filter, signal), (found) => pace(found), server);
  const graphs = useLoaded(() => get("graphs"), "graphs").data?.graphs ?? [];
  const set = (name) => (event) => move({ ...filter, [name]: event.target.value });
  const runs = useMemo(() => (data ? arranged(data.runs, filter.id) : null), [data, filter.id]);
  const filtered = Object.values(filter).some(Boolean);
  return html`<div class="runs">
    <h1>Runs</h1>
    <form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
      <label>Id <input aria-label="Id" type="search" id="search" value=${filter.id} onInput=${set("id")} placeholder="part of an id  ( / )" /></label>
      <label>Graph <select aria-label="Graph" value=${filter.graph} onChange=${set("graph")}>
        <option value="">all</option>
        ${names(graphs, filter.graph).map((name) => html`<option value=${name} selected=${name === filter.graph}>${name}</option>`)}
      </select></label>
      <label>Status <select aria-label="Status" value=${filter.status} onChange=${set("status")}>
        <option value="">all</option>
        ${STATUSES.map((name) => html`<option value=${name} selected=${name === filter.status}>${name}</option>`)}
      </select></label>
      <label>Tag <${Tag} value=${filter.tag} set=${(tag) => move({ ...filter, tag })} /></label>
      <label>Started <select aria-label="Started" value=${filter.since} onChange=${set("since")}>
        <option value="">at any time</option>
        ${Object.entries(SPANS).map(([key, [text]]) => html`<option value=${key} selected=${key === filter.since}>in ${text}</option>`)}
      </select></label>
      ${filtered && html`<button type="button" class="plain" onClick=${() => move({})}>Clear</button>`}
    </form>
    <${Failure} error=${error} again=${refresh} />
    ${runs === null ? !error && html`<p class="hint" role="status">Loading …</p>` : html`<${Table} ...${runs} more=${data.more} filtered=${filtered} />`}
  </div>`;
}

function names(graphs, chosen) {
  const known = graphs.map((graph) => graph.graph);
  return chosen && !known.includes(chosen) ? [...known, chosen] : known;
}

function move(filter) {
  history.replaceState(null, "", link(["runs"], filter));
  dispatchEvent(new Event("hashchange"));
}

/** A tag is asked for when it is complete: `key=value`. */
function Tag({ value, set }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const typed = (event) => {
    setText(event.target.value);
    if (/^[^=]+=.+$/.test(event.target.value) || event.target.value === "") set(event.target.value);
  };
  return html`<input aria-label="Tag" value=${text} onInput=${typed} placeholder="team=billing" />`;
}

async function loadRuns(filter, signal) {
  const asked = { limit: PAGE };
  if (filter.graph) asked.graph = filter.graph;
  if (filter.status) asked.status = filter.status;
  if (SPANS[filter.since]) asked.since = new Date(Date.now() - SPANS[filter.since][1]).toISOString();
  const [name, ...rest] = filter.tag.split("=");
  if (rest.length) asked[`tag.${name}`] = rest.join("=");
  const began = performance.now();
  const runs = new Map();
  let cursor = "";
  do {
    const page = await get(`runs?${new URLSearchParams(cursor ? { ...asked, cursor } : asked)}`, { signal });
    for (const run of page.runs) runs.set(run.id, run);
    cursor = page.cursor;
  } while (cursor && runs.size < MOST);
  await askRunning([...runs.values()].filter((run) => run.status === "running").slice(0, ASKED), signal);
  lastCost = performance.now() - began;
  return { runs: [...runs.values()].slice(0, MOST), more: !!cursor };
}

/** A list knows of a run what it says itself: whether a run below it waits for an answer, only the run's own view tells. */
async function askRunning(running, signal) {
  const look = async (run) => {
    const view = await get(path`runs/${run.id}`, { signal }).catch(() => run);
    run.status = view.status;
  };
  await Promise.all(running.map(look));
}

let lastCost = 0;

/** Every two seconds, and more rarely where the list is long: at most a quarter of the time is spent on asking. */
function pace() {
  return Math.min(10000, Math.max(2000, 3 * lastCost));
}

function arranged(runs, text) {
  const wanted = text.trim().toLowerCase();
  const kept = wanted ? runs.filter((run) => run.id.toLowerCase().includes(wanted)) : [...runs];
  kept.sort((one, other) => parse(other.started_at) - parse(one.started_at) || one.id.localeCompare(other.id));
  return { waiting: kept.filter((run) => run.status === "waiting"), others: kept.filter((run) => run.status !== "waiting") };
}

function Table({ waiting, others, more, filtered }) {
  const count = waiting.length + others.length;
  const now = useNow(count > 200 ? 10000 : 1000);
  if (!count && filtered) return html`<${Empty} title="No run matches.">Clear a filter, or look at <a href="#/graphs">the graphs</a>.<//>`;
  if (!count) return html`<${Empty} title="No run yet."><a href="#/graphs">Start one</a> from a graph's form, or with POST graphs/…/runs.<//>`;
  return html`<div class="table" role="table" aria-label="Runs" aria-rowcount=${count}>
      <div class="head" role="row">
        ${["Status", "Run", "Graph", "At", "Started", "Took", "Tags and errors"].map((title) => html`<span role="columnheader">${title}</span>`)}
      </div>
      ${waiting.length > 0 && html`<${Part} title="Waiting for an answer" count=${waiting.length} />`}
      ${waiting.map((run) => html`<${Row} key=${run.id} run=${run} now=${tick(run, now)} />`)}
      ${waiting.length > 0 && others.length > 0 && html`<${Part} title="Others" count=${others.length} />`}
      ${others.map((run) => html`<${Row} key=${run.id} run=${run} now=${tick(run, now)} />`)}
    </div>
    <p class="hint">${count === 1 ? "1 run" : `${count} runs`}${more ? "; there are more: narrow the list by graph, status, tag or time" : ""}</p>`;
}

function Part({ title, count }) {
  return html`<div class="part" role="row"><span role="rowheader">${title} <span class="count">${count}</span></span></div>`;
}

/** The time that a row shows moves by the second for a minute, then by the minute: rows that say the same are not drawn. */
function tick(run, now) {
  const grain = now - parse(run.started_at) < 60000 ? 1000 : 60000;
  return Math.floor(now / grain) * grain;
}

class Row extends Component {
  shouldComponentUpdate(next) {
    return next.run !== this.props.run || next.now !== this.props.now;
  }

  render({ run, now }) {
    const over = ["completed", "failed", "cancelled"].includes(run.status);
    const took = (over ? parse(run.updated_at) : Math.max(now, parse(run.started_at))) - parse(run.started_at);
    return html`<div class="line" role="row">
      <span role="cell"><${Status} of=${run.status} /></span>
      <span role="cell"><a class="id" href=${link(["runs", run.id])}>${run.id}</a></span>
      <span role="cell">${run.graph} <span class="hint">${run.version}</span></span>
      <span role="cell">${over && run.status !== "failed" ? "" : run.node}</span>
      <span role="cell"><time datetime=${run.started_at} title=${`${local(run.started_at, 0)} here, ${utc(run.started_at)}`}>${ago(run.started_at, Math.max(now, parse(run.started_at)))}</time></span>
      <span role="cell" class="number">${Number.isNaN(took) ? "" : took < 1000 ? "< 1 s" : span(took)}</span>
      <span role="cell" class="rest">${Object.entries(run.tags ?? {}).map(([name, value]) => html`<span class="tag">${name}=${value}</span>`)}${run.error && html`<span class="bad">${run.error}</span>`}</span>
    </div>`;
  }
}
