// The single fields of a form: a text, a number, a choice, JSON; each with its label, its hint, and what is wrong with it.

import { html } from "./vendor/htm-preact.js";
import { choices, title } from "./schema.js";
import { pretty } from "./ui.js";

const INPUTS = { text: "text", email: "email", date: "date" };

/** The errors of one field; those of places that no field shows belong to the nearest one above. */
export function own(errors, path, deep) {
  const here = errors.filter((error) => path.every((part, index) => String(error.path[index]) === String(part)));
  return here.filter((error) => !deep || error.path.length === path.length);
}

export function named({ path, schema, needed, label }) {
  const name = label ?? (path.length ? title(path[path.length - 1], schema ?? {}) : "");
  return html`${name}${needed ? "" : html` <span class="hint">optional</span>`}`;
}

function Shell({ wrong, id, schema, children, ...props }) {
  return html`<div class=${`field ${wrong.length ? "wrong" : ""}`}>
    <label for=${id}>${named({ schema, ...props })}</label>
    ${children}
    ${schema?.description && html`<p class="hint" id=${`${id}-hint`}>${schema.description}</p>`}
    ${wrong.map((error) => html`<p class="error" id=${`${id}-error`}>${message(error, props.path)}</p>`)}
  </div>`;
}

export function message(error, path) {
  const below = error.path.slice(path.length).join(".");
  return below ? `${below}: ${error.message}` : error.message;
}

function attributes(props, deep = true) {
  const wrong = own(props.errors, props.path, deep);
  const id = `${props.id}-${props.path.join("-")}`;
  const described = wrong.length ? `${id}-error` : `${id}-hint`;
  return { wrong, id, input: { id, "aria-invalid": wrong.length > 0, "aria-describedby": described, "aria-required": props.needed } };
}

export function Line(props) {
  const { schema, value, change } = props;
  const number = schema.type !== "string" || schema.decimal;
  if (!number && !schema.format && String(value ?? "").length > 60) return html`<${Text} ...${props} area=${true} />`;
  const { wrong, id, input } = attributes(props);
  const typed = (event) => change(event.target.value === "" && !props.needed ? undefined : event.target.value);
  return html`<${Shell} ...${props} wrong=${wrong} id=${id}>
    <input ...${input} type=${INPUTS[schema.format] ?? "text"} inputmode=${number ? "decimal" : undefined} autocomplete="off"
      placeholder=${hint(schema)} value=${value ?? ""} onInput=${typed} />
  <//>`;
}

function hint(schema) {
  if (schema.default !== undefined && schema.default !== null && schema.default !== "") return typeof schema.default === "object" ? JSON.stringify(schema.default) : String(schema.default);
  return { "date-time": "2026-01-31T08:00:00Z", uuid: "a UUID" }[schema.format] ?? "";
}

export function Text(props) {
  const { wrong, id, input } = attributes(props, !props.area || props.path.length > 0);
  const typed = (event) => props.change(event.target.value);
  const rows = Math.min(18, Math.max(3, String(props.value ?? "").split("\n").length));
  return html`<${Shell} ...${props} needed=${props.needed ?? true} wrong=${wrong} id=${id}>
    <textarea ...${input} rows=${rows} spellcheck="false" onInput=${typed} value=${props.value ?? ""}></textarea>
  <//>`;
}

export function Any(props) {
  const { value, change } = props;
  const text = value === undefined ? "" : typeof value?.json === "string" ? value.json : pretty(value);
  const typed = (typing) => change(typing.trim() === "" && !props.needed ? undefined : { json: typing });
  const label = props.label ?? `${props.path.at(-1) ?? "payload"} (JSON)`;
  return html`<${Text} ...${props} label=${label} area=${true} value=${text} change=${typed} />`;
}

/** A choice of a few, and yes or no. What is optional can be left out. */
export function Choice(props) {
  const { schema, value, change } = props;
  const { wrong, id, input } = attributes(props);
  const values = schema.type === "boolean" && !schema.enum ? [true, false] : choices(schema);
  if (schema.type === "boolean" && props.needed && !schema.nullable) return html`<${YesNo} ...${props} wrong=${wrong} input=${input} />`;
  const picked = (event) => change(event.target.value === "" ? undefined : values[Number(event.target.value)]);
  const shown = (one) => (one === true ? "yes" : one === false ? "no" : String(one));
  const none = schema.default !== undefined && schema.default !== null ? `default: ${shown(schema.default)}` : "–";
  return html`<${Shell} ...${props} wrong=${wrong} id=${id}>
    <select ...${input} value=${String(values.indexOf(value))} onChange=${picked}>
      <option value="" selected=${!values.includes(value)}>${none}</option>
      ${values.map((one, index) => html`<option value=${String(index)} selected=${one === value}>${shown(one)}</option>`)}
    </select>
  <//>`;
}

/** A decision that somebody has to make: neither is picked beforehand. */
function YesNo({ value, change, wrong, input, ...props }) {
  const one = (picked, text, id) => html`<label><input type="radio" ...${input} id=${id} name=${input.id} checked=${value === picked} onChange=${() => change(picked)} /> ${text}</label>`;
  return html`<fieldset class="choose ${wrong.length ? "wrong" : ""}" role="radiogroup">
    <legend>${named(props)}</legend>
    ${one(true, "yes", input.id)} ${one(false, "no", `${input.id}-no`)}
    ${wrong.map((error) => html`<p class="error" id=${`${input.id}-error`}>${error.message}</p>`)}
  </fieldset>`;
}
