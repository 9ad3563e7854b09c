// The graphs: each with its picture, its versions and how many runs live on them, its schemas, and a form that starts it.

import { html, useEffect, useMemo, useState } from "./vendor/htm-preact.js";
import { get, manifestOf, path, post } from "./api.js";
import { diagram } from "./diagram.js";
import { Form } from "./form.js";
import { link, useLoaded, usePoll } from "./live.js";
import { Picture } from "./picture.js";
import { resolve, typeName } from "./schema.js";
import { Copy, Dialog, Empty, Failure, Fold, Json } from "./ui.js";
import { ago } from "./times.js";
import { go } from "./verbs.js";

export function Graphs() {
  const { data, error } = useLoaded(() => get("graphs"), "graphs");
  return html`<h1>Graphs</h1>
    <${Failure} error=${error} />
    ${data?.graphs.length === 0 && html`<${Empty} title="No graph is registered.">Write one in graphs/, or register it: runtime.register_registration(…).<//>`}
    <ul class="cards">${(data?.graphs ?? []).map((graph) => html`<li key=${graph.graph}>
      <a href=${link(["graphs", graph.graph])}><b>${graph.graph}</b> <span class="hint">version ${graph.version}</span></a>
      <p class="hint">${graph.nodes.length} nodes${graph.events.length ? ` · answers ${graph.events.join(", ")}` : ""}</p>
      <p class="row"><a class="button" href=${link(["graphs", graph.graph], { start: "1" })}>Start a run</a>
        <a href=${link(["runs"], { graph: graph.graph })}>Its runs</a></p>
    </li>`)}</ul>`;
}

export function GraphPage({ name, query, say }) {
  const { data, error, refresh } = usePoll((signal) => get(path`graphs/${name}`, { signal }), () => 15000, name);
  const answer = useLoaded(() => manifestOf(name), name);
  const drawn = useMemo(() => answer.data && diagram(answer.data.drawing), [answer.data]);
  useEffect(() => {
    document.title = `${name} · graph`;
  }, [name]);
  if (error?.status === 404) return html`<${Empty} title=${`There is no graph ${name}.`}>It is not deployed. Back to <a href="#/graphs">the graphs</a>.<//>`;
  const close = () => (location.hash = link(["graphs", name]));
  const manifest = answer.data?.manifest;
  return html`<nav class="crumbs" aria-label="Where you are"><a href="#/graphs">Graphs</a></nav>
    <div class="title"><h1>${name}</h1>
      <a class="button main" href=${link(["graphs", name], { start: "1" })}>Start a run</a>
      <a href=${link(["runs"], { graph: name })}>Its runs</a></div>
    <${Failure} error=${error ?? answer.error} again=${refresh} />
    ${manifest && query.start && html`<${Start} name=${name} schema=${answer.data.state_schema} close=${close} say=${say} />`}
    <div class="columns">
      <section class="seen" aria-label="Picture">${drawn ? html`<${Picture} diagram=${drawn} label=${`The graph ${name}`} />` : html`<p class="hint">Drawing …</p>`}</section>
      <section class="told" aria-label="About the graph">
        ${data && html`<h2>Versions</h2><${Versions} data=${data} />`}
        ${manifest && html`<${Contract} manifest=${manifest} state=${answer.data.state_schema} name=${name} />`}
      </section>
    </div>`;
}

function Versions({ data }) {
  return html`<table class="plain-table">
    <thead><tr><th>Version</th><th>Hash</th><th>Live runs</th><th>New runs</th><th>Served by</th></tr></thead>
    <tbody>${data.versions.map((version) => html`<tr>
      <th scope="row">${version.version}</th>
      <td class="id" title=${version.graph_hash}>${version.graph_hash.slice(0, 12)}</td>
      <td class="number">${version.live_runs}${data.live_runs_complete ? "" : "+"}</td>
      <td>${version.default ? "yes" : "no"}</td>
      <td>${version.deployed ? (version.served_by === version.graph_hash ? "itself" : html`<span class="id">${version.served_by.slice(0, 12)}</span>`) : html`<b class="bad">none: its runs are parked</b>`}</td>
    </tr>`)}</tbody>
  </table>`;
}

function Contract({ manifest, state, name }) {
  const events = Object.entries(manifest.event_handlers);
  return html`<h2>State</h2>
    <${Fields} schema=${state} />
    ${events.length > 0 && html`<h2>Events</h2>${events.map(([event, spec]) => html`<h3 class="id">${event}</h3>
      ${spec.payload_schema ? html`<${Fields} schema=${spec.payload_schema} />` : html`<p class="hint">any JSON</p>`}`)}`}
    <${Fold} title="Manifest"><${Json} value=${manifest} label="manifest" /><//>
    <div class="row"><${Copy} label="Copy as Mermaid" text=${() => get(path`graphs/${name}/diagram`, { plain: true })} title="The diagram as text, for a document" /></div>`;
}

/** The fields of a model in a table. */
function Fields({ schema }) {
  const whole = resolve(schema, schema);
  const required = new Set(whole.required);
  return html`<table class="plain-table"><thead><tr><th>Field</th><th>Type</th><th>Default</th></tr></thead>
    <tbody>${Object.entries(whole.properties ?? {}).map(([name, field]) => html`<tr>
      <th scope="row" class="id">${name}</th><td>${typeName(field, schema)}</td>
      <td>${required.has(name) ? "required" : html`<span class="id">${field.default === undefined ? "" : JSON.stringify(field.default)}</span>`}</td>
    </tr>`)}</tbody></table>`;
}

/** Start a run: an empty form, or one that is filled like an earlier run or an example of the model. */
function Start({ name, schema, close, say }) {
  const [sample, setSample] = useState({ key: "empty" });
  const recent = useLoaded(() => samples(name), name).data ?? [];
  const examples = (schema.examples ?? []).map((input, index) => ({ key: `e${index}`, label: `example ${index + 1} of the model`, input }));
  const all = [...examples, ...recent];
  const [id, setId] = useState("");
  const [tags, setTags] = useState("");
  const send = async (input) => {
    const body = { input, ...(id ? { instance_id: id } : {}), ...(tags.trim() ? { tags: tagged(tags) } : {}) };
    const started = await post(path`graphs/${name}/runs`, body);
    say(`${name} was started`);
    go(started.id);
  };
  const pick = (event) => setSample(all.find((one) => one.key === event.target.value) ?? { key: "empty" });
  const extra = all.length > 0 && html`<div class="field"><label for="sample">Fill in from</label>
    <select id="sample" value=${sample.key} onChange=${pick}><option value="empty">nothing (an empty form)</option>
      ${all.map((one) => html`<option value=${one.key}>${one.label}</option>`)}</select></div>`;
  return html`<${Dialog} title=${`Start ${name}`} onClose=${close} wide=${true}>
    <${Form} key=${sample.key} schema=${schema} initial=${sample.input} send=${send} label="Start the run" root="input" onCancel=${close} extra=${extra} />
    <${Fold} title="Id and tags">
      <div class="field"><label for="run-id">Id <span class="hint">optional</span></label><input id="run-id" value=${id} onInput=${(event) => setId(event.target.value)} placeholder="generated if empty" /></div>
      <div class="field"><label for="run-tags">Tags <span class="hint">optional</span></label><input id="run-tags" value=${tags} onInput=${(event) => setTags(event.target.value)} placeholder="team=billing, region=eu" /></div>
    <//>
  <//>`;
}

function tagged(text) {
  const pairs = text.split(",").map((pair) => pair.trim()).filter(Boolean);
  return Object.fromEntries(pairs.map((pair) => [pair.split("=")[0], pair.split("=").slice(1).join("=")]));
}

/** The inputs of the newest runs, each of them once. */
async function samples(name) {
  const { runs } = await get(`runs?graph=${encodeURIComponent(name)}&limit=200`);
  const newest = runs.sort((one, other) => other.started_at.localeCompare(one.started_at)).slice(0, 5);
  const views = await Promise.all(newest.map((run) => get(path`runs/${run.id}`).catch(() => null)));
  const seen = new Set();
  return views.filter(Boolean).flatMap((view) => {
    const text = JSON.stringify(view.input);
    if (seen.has(text)) return [];
    seen.add(text);
    return [{ key: view.id, label: `the run started ${ago(view.started_at, Date.now())}: ${text.slice(0, 60)}`, input: view.input }];
  });
}
