// What a run asks: each open wait with its question and a form, and what became of the answer.

import { html, useState } from "./vendor/htm-preact.js";
import { path, post } from "./api.js";
import { Form } from "./form.js";
import { link } from "./live.js";
import { Json } from "./ui.js";
import { Time, ago, parse } from "./times.js";

export function Answers({ view, manifest, now, refresh, say }) {
  if (!view.waits.length) return null;
  const several = view.waits.length > 1;
  return html`<section class="waits" aria-label="Waiting for an answer">
    ${view.waits.map((wait) => html`<${Wait} key=${wait.id} wait=${wait} view=${view} manifest=${manifest} now=${now} refresh=${refresh} say=${say} closed=${several} />`)}
  </section>`;
}

function Wait({ wait, view, manifest, now, refresh, say, closed }) {
  const [open, setOpen] = useState(!closed);
  const send = async (payload) => {
    const answer = await post(path`runs/${view.id}/events/${wait.event}?wait_id=${wait.id}`, payload, { headers: { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` } });
    say(answer.outcome === "applied" ? `${wait.event} was applied` : `${wait.event} was sent; the run has not taken it yet`);
    refresh();
  };
  const schema = wait.payload_schema ?? (wait.run ? undefined : manifest?.event_handlers?.[wait.event]?.payload_schema);
  const late = wait.deadline && parse(wait.deadline) < now;
  return html`<article class="wait" aria-label=${`Answer ${wait.event}`}>
    <header>
      <h2>${heading(wait)}</h2>
      <p class="hint"><b>${wait.event}</b>${wait.resume_node && ` → ${wait.resume_node}`}
        ${wait.run && html` · asked by <a class="id" href=${link(["runs", wait.run], { of: view.id })}>${wait.run}</a>`}
        ${wait.deadline && html` · ${late ? "was due" : "due"} <${Time} at=${wait.deadline} /> (${ago(wait.deadline, now)})`}</p>
    </header>
    ${view.note && wait.prompt === undefined && !wait.run && html`<p>${view.note}</p>`}
    <${Question} prompt=${wait.prompt} />
    ${open
      ? html`<${Form} schema=${schema ?? {}} send=${send} label=${`Send ${wait.event}`} root="payload" />`
      : html`<button type="button" onClick=${() => setOpen(true)}>Answer ${wait.event}</button>`}
  </article>`;
}

/** A prompt is any JSON; `title` and `text`-like members are what most have. */
function heading({ prompt, event }) {
  if (typeof prompt === "string") return prompt;
  const title = prompt && typeof prompt === "object" ? (prompt.title ?? prompt.question) : null;
  return typeof title === "string" && title ? title : event.replaceAll("_", " ");
}

function Question({ prompt }) {
  if (prompt === undefined || prompt === null || typeof prompt === "string") return null;
  if (Array.isArray(prompt) || typeof prompt !== "object") return html`<${Json} value=${prompt} label="prompt" />`;
  const rest = Object.entries(prompt).filter(([name, value]) => !(["title", "question"].includes(name) && typeof value === "string"));
  if (!rest.length) return null;
  return html`<dl class="prompt">${rest.map(([name, value]) => html`<dt>${name}</dt><dd>${typeof value === "string" ? value : listed(value)}</dd>`)}</dl>`;
}

function listed(value) {
  const plain = Array.isArray(value) && value.every((item) => typeof item !== "object");
  return plain ? value.join(", ") : JSON.stringify(value);
}
