// The list of runs: fresh, filtered, what waits for a person first.

import { html, useEffect, useMemo, useState } from "./vendor/htm-preact.js";
import { get } from "./api.js";
import { link, useLoaded, usePoll } from "./live.js";
import { Table } from "./table.js";
import { Empty, Failure, STATUSES } from "./ui.js";
import { parse } from "./times.js";

const MOST = 1000;
const PAGE = 200;
const NONE_KNOWN = [];
const HOUR = 3600000;
const SPANS = { "1h": ["the last hour", HOUR], "1d": ["the last day", 24 * HOUR], "7d": ["the last 7 days", 168 * HOUR] };

export function Runs({ query }) {
  const filter = { graph: "", status: "", tag: "", since: "", id: "", ...query };
  const server = JSON.stringify([filter.graph, filter.status, filter.tag, filter.since]);
  const [most, setMost] = useState(MOST);
  const { data, error, refresh } = usePoll((signal) => loadRuns(filter, most, signal), pace, server);
  useEffect(() => most > MOST && refresh(), [most]);
  const graphs = useLoaded(() => get("graphs"), "graphs").data?.graphs ?? NONE_KNOWN;
  const runs = useMemo(() => (data ? arranged(data.runs, filter.id) : null), [data, filter.id]);
  const filters = useMemo(() => html`<${Filters} filter=${filter} graphs=${graphs} />`, [JSON.stringify(filter), graphs]);
  const filtered = Object.values(filter).some(Boolean);
  return html`<div class="runs">
    <h1>Runs</h1>
    ${filters}
    <${Failure} error=${error} again=${refresh} />
    ${runs === null ? !error && html`<p class="hint" role="status">Loading …</p>` : html`<${Listed} ...${runs} more=${data.more} filtered=${filtered} id=${filter.id.trim()} load=${() => setMost(most + MOST)} />`}
  </div>`;
}

function Filters({ filter, graphs }) {
  const set = (name) => (event) => move({ ...filter, [name]: event.target.value });
  const choose = (name, label, none, options) => html`<label>${label} <select aria-label=${label} value=${filter[name]} onChange=${set(name)}>
    <option value="">${none}</option>
    ${options.map(([value, text]) => html`<option value=${value} selected=${value === filter[name]}>${text}</option>`)}
  </select></label>`;
  const plain = (name) => [name, name];
  return html`<form class="filters" role="search" onSubmit=${(event) => event.preventDefault()}>
    <label>Id <input aria-label="Id" type="search" id="search" value=${filter.id} onInput=${set("id")} placeholder="part of an id  ( / )" /></label>
    ${choose("graph", "Graph", "all", names(graphs, filter.graph).map(plain))}
    ${choose("status", "Status", "all", STATUSES.map(plain))}
    <label>Tag <${Tag} value=${filter.tag} set=${(tag) => move({ ...filter, tag })} /></label>
    ${choose("since", "Started", "at any time", Object.entries(SPANS).map(([key, [text]]) => [key, `in ${text}`]))}
    ${Object.values(filter).some(Boolean) && html`<button type="button" class="plain" onClick=${() => move({})}>Clear</button>`}
  </form>`;
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

async function loadRuns(filter, most, signal) {
  const asked = { limit: PAGE };
  if (filter.graph) asked.graph = filter.graph;
  if (filter.status) asked.status = filter.status;
  if (SPANS[filter.since]) asked.since = new Date(Date.now() - SPANS[filter.since][1]).toISOString();
  const [name, ...rest] = filter.tag.split("=");
  if (rest.length) asked[`tag.${name}`] = rest.join("=");
  const began = performance.now();
  const { runs, more } = await loadPages(asked, most, signal);
  // where there are more runs than are loaded, those that wait are not left out: somebody has to see them
  const waiting = more && !filter.status ? (await loadPages({ ...asked, status: "waiting" }, PAGE, signal)).runs : [];
  lastCost = performance.now() - began;
  return { runs: [...new Map([...runs, ...waiting].map((run) => [run.id, run])).values()], more };
}

async function loadPages(asked, most, signal) {
  const runs = new Map();
  let cursor = "";
  do {
    const page = await get(`runs?${new URLSearchParams(cursor ? { ...asked, cursor } : asked)}`, { signal });
    for (const run of page.runs) runs.set(run.id, run);
    cursor = page.cursor;
  } while (cursor && runs.size < most);
  return { runs: [...runs.values()], more: !!cursor };
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

function Listed({ waiting, others, more, filtered, id, load }) {
  const count = waiting.length + others.length;
  if (!count && more && id) return html`<${Empty} title="None of the loaded runs match.">Open <a class="id" href=${link(["runs", id])}>${id}</a>, if that is a complete id, or <button type="button" class="plain" onClick=${load}>load ${MOST} more</button>.<//>`;
  if (!count && filtered) return html`<${Empty} title="No runs match.">Clear a filter, or look at <a href="#/graphs">the graphs</a>.<//>`;
  if (!count) return html`<${Empty} title="No runs yet."><a href="#/graphs">Start one</a> from a graph's form, or with POST graphs/…/runs.<//>`;
  return html`<${Table} waiting=${waiting} others=${others} />
    <p class="hint">${count === 1 ? "1 run" : `${count} runs`}${more && html`; there are more: narrow the list by graph, status, tag or time, or
      <button type="button" class="plain" onClick=${load}>load ${MOST} more</button>`}</p>`;
}
