// What can be done with a run: the buttons of its page, and the dialogs that they open.

import { html, useState } from "./vendor/htm-preact.js";
import { call, path, post } from "./api.js";
import { Form } from "./form.js";
import { link } from "./live.js";
import { asCurl, asTest } from "./snippets.js";
import { Act, Copy, Dialog, FINISHED } from "./ui.js";

export function go(id) {
  location.hash = link(["runs", id]);
}

export function Verbs({ view, history, refresh, say, fail }) {
  const [asking, setAsking] = useState(null);
  const over = FINISHED.has(view.status);
  const verb = (name, said) => async () => {
    await post(path`runs/${view.id}/${name}`);
    say(said);
    refresh();
  };
  const again = (name) => async () => {
    const started = await post(path`runs/${view.id}/${name}`);
    say(`This is the new run. ${view.id} is unchanged.`);
    go(started.id);
  };
  const act = (label, run, more) => html`<${Act} label=${label} run=${run} onError=${fail} ...${more} />`;
  return html`<div class="verbs" role="group" aria-label="Actions on this run">
    ${view.status === "failed" && act("Retry", again("retry"), { kind: "main", title: "A new run that continues from the node that failed" })}
    ${!over && view.status !== "suspended" && act("Suspend", verb("suspend", "The run is being suspended"), { title: "Nothing begins until it is resumed; events are kept" })}
    ${view.status === "suspended" && act("Resume", verb("resume", "The run is being resumed"), { kind: "main" })}
    ${!over && act("Cancel …", async () => setAsking("cancel"))}
    ${act("Restart", again("restart"), { title: "A new run with the same input, on the newest version" })}
    ${over && act("Delete …", async () => setAsking("delete"))}
    <${Copy} label="Copy as curl" text=${() => asCurl(view)} title="The command that starts a run like this one" />
    <${Copy} label="Copy as test" text=${() => asTest(view, history)} title="A pytest that reproduces this run" />
    ${asking === "cancel" && html`<${Cancel} view=${view} close=${() => setAsking(null)} refresh=${refresh} say=${say} />`}
    ${asking === "delete" && html`<${Delete} view=${view} close=${() => setAsking(null)} say=${say} fail=${fail} />`}
  </div>`;
}

const REASON = { type: "object", properties: { reason: { type: "string", title: "Reason", maxLength: 1000 } } };

function Cancel({ view, close, refresh, say }) {
  const send = async (body) => {
    await post(path`runs/${view.id}/cancel`, body);
    say("The run is being cancelled");
    close();
    refresh();
  };
  return html`<${Dialog} title="Cancel this run?" onClose=${close}>
    <p>It ends, and so do the subgraphs that it waits for. A node that is running finishes, but its result is ignored.</p>
    <${Form} schema=${REASON} send=${send} label="Cancel the run" root="body" onCancel=${close} />
  <//>`;
}

function Delete({ view, close, say, fail }) {
  const remove = async () => {
    await call("DELETE", path`runs/${view.id}`);
    say(`${view.id} was deleted`);
    location.hash = "#/runs";
  };
  return html`<${Dialog} title="Delete this run?" onClose=${close}>
    <p>The run, its history, and all runs that it started are deleted permanently.</p>
    <div class="row"><${Act} label="Delete the run" kind="main" run=${remove} onError=${fail} /><button type="button" onClick=${close}>Close</button></div>
  <//>`;
}

/** Restart from a step: with the state as it was, or as it is edited here. */
export function Restart({ view, step, last, schema = {}, close, say }) {
  const send = async (state) => {
    const edited = !last || step.before === undefined || JSON.stringify(state) !== JSON.stringify(ordered(step.before, state));
    const started = await post(path`runs/${view.id}/restart`, edited ? { node: step.node, state } : { node: step.node });
    say(`This is the new run, from ${step.node}. ${view.id} is unchanged.`);
    close();
    go(started.id);
  };
  return html`<${Dialog} title=${`Restart from ${step.node}`} onClose=${close} wide=${true}>
    <p>A new run begins at <b>${step.node}</b> with this state. The run that you are looking at is unchanged.</p>
    <${Form} schema=${schema} initial=${step.before ?? view.input} send=${send} label="Start the new run" root="state" onCancel=${close} />
  <//>`;
}

/** The members of a state in the order of another. */
function ordered(state, order) {
  const names = [...new Set([...Object.keys(order ?? {}), ...Object.keys(state)])];
  return Object.fromEntries(names.filter((name) => name in state).map((name) => [name, state[name]]));
}
