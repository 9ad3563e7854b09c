// A form made from a JSON Schema: labels, hints, and what is wrong at the field that it belongs to.

import { html, useMemo, useRef, useState } from "./vendor/htm-preact.js";
import { blank, choices, kindOf, raw, read, resolve, title } from "./schema.js";
import { Failure, pretty } from "./ui.js";

let made = 0;
const INPUTS = { text: "text", email: "email", date: "date" };

/**
 * `send(value)` gets the JSON value; a Problem 422 that it raises is shown at its fields: `root` is where the errors'
 * places begin, as in ["payload", "reviewer"].
 */
export function Form({ schema, initial, send, label, root, onCancel, extra }) {
  const whole = schema ?? {};
  const free = kindOf(resolve(whole, whole)) !== "object";
  const begin = () => (initial === undefined ? (free ? { json: "{}" } : blank(whole, whole)) : raw(initial, whole, whole));
  const [value, setValue] = useState(begin);
  const [text, setText] = useState(null);
  const [errors, setErrors] = useState([]);
  const [failure, setFailure] = useState(null);
  const [busy, setBusy] = useState(false);
  const form = useRef(null);
  const id = useMemo(() => `form-${(made += 1)}`, []);

  const refuse = (found) => {
    setErrors(found);
    setTimeout(() => form.current?.querySelector('[aria-invalid="true"]')?.focus(), 0);
  };
  const submit = async (event) => {
    event.preventDefault();
    const given = text === null ? read(value, whole, whole) : read({ json: text }, {}, {});
    setFailure(null);
    refuse(given.errors);
    if (given.errors.length || busy) return;
    setBusy(true);
    try {
      await send(given.value);
    } catch (error) {
      const { fields, rest } = placed(error, root);
      refuse(fields);
      setFailure(rest);
    } finally {
      setBusy(false);
    }
  };
  const toggle = () => {
    setErrors([]);
    if (text === null) setText(pretty(read(value, whole, whole).value ?? {}));
    else {
      const { value: found, errors: wrong } = read({ json: text }, {}, {});
      if (wrong.length) return refuse(wrong);
      setValue(raw(found, whole, whole));
      setText(null);
    }
  };
  const shared = { whole, errors, id };
  const field =
    text === null
      ? html`<${Field} schema=${whole} value=${value} change=${setValue} path=${[]} needed=${true} ...${shared} />`
      : html`<${Text} label="JSON" area=${true} value=${text} change=${setText} path=${[]} ...${shared} />`;
  return html`<form ref=${form} class="form" novalidate onSubmit=${submit}>
    ${extra} ${field}
    <${Failure} error=${failure} />
    <div class="row">
      <button type="submit" class="main" aria-busy=${busy} disabled=${busy}>${label}</button>
      ${onCancel && html`<button type="button" onClick=${onCancel}>Close</button>`}
      ${!free && html`<button type="button" class="plain end" onClick=${toggle}>${text === null ? "Edit as JSON" : "Edit as a form"}</button>`}
    </div>
  </form>`;
}

/** Errors of a 422 at their fields, and what belongs to none. */
function placed(error, root) {
  const mine = (error.errors ?? []).filter((item) => item.loc?.[0] === root);
  const fields = mine.map((item) => ({ path: item.loc.slice(1), message: item.msg }));
  return { fields, rest: fields.length && fields.length === error.errors.length ? null : error };
}

/** The errors of one field; those of places that no field shows belong to the nearest one above. */
function own(errors, path, deep) {
  const here = errors.filter((error) => path.every((part, index) => String(error.path[index]) === String(part)));
  return here.filter((error) => !deep || error.path.length === path.length);
}

function Field(props) {
  const schema = useMemo(() => resolve(props.schema, props.whole), [props.schema, props.whole]);
  return html`<${FIELDS[kindOf(schema)]} ...${props} schema=${schema} />`;
}

const FIELDS = { text: Line, number: Line, choice: Choice, boolean: Choice, object: Group, list: List, json: Any, options: Any };

function named({ path, schema, needed, label }) {
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

function message(error, path) {
  const below = error.path.slice(path.length).join(".");
  return below ? `${below}: ${error.message}` : error.message;
}

function attributes(props, deep = true) {
  const wrong = own(props.errors, props.path, deep);
  const id = `${props.id}-${props.path.join("-")}`;
  const described = wrong.length ? `${id}-error` : `${id}-hint`;
  return { wrong, id, input: { id, "aria-invalid": wrong.length > 0, "aria-describedby": described, "aria-required": props.needed } };
}

function Line(props) {
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
  if (schema.default !== undefined && schema.default !== null && schema.default !== "") return String(schema.default);
  return { "date-time": "2026-01-31T08:00:00Z", uuid: "a UUID" }[schema.format] ?? "";
}

function Text(props) {
  const { wrong, id, input } = attributes(props, !props.area || props.path.length > 0);
  const typed = (event) => props.change(event.target.value);
  const rows = Math.min(18, Math.max(3, String(props.value ?? "").split("\n").length));
  return html`<${Shell} ...${props} needed=${props.needed ?? true} wrong=${wrong} id=${id}>
    <textarea ...${input} rows=${rows} spellcheck="false" onInput=${typed} value=${props.value ?? ""}></textarea>
  <//>`;
}

function Any(props) {
  const { value, change } = props;
  const text = value === undefined ? "" : typeof value?.json === "string" ? value.json : pretty(value);
  const typed = (typing) => change(typing.trim() === "" && !props.needed ? undefined : { json: typing });
  const label = props.label ?? `${props.path.at(-1) ?? "payload"} (JSON)`;
  return html`<${Text} ...${props} label=${label} area=${true} value=${text} change=${typed} />`;
}

/** A choice of a few, and yes or no. What is optional can be left out. */
function Choice(props) {
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

/** The fields of an object: what is needed first, what is optional folded away if there is much of it. */
function Group(props) {
  const { schema, whole, errors, path, needed, change } = props;
  const value = props.value ?? {};
  const required = new Set(schema.required);
  if (!needed && props.value === undefined && path.length) {
    return html`<p class="field"><button type="button" onClick=${() => change(blank(schema, whole))}>Add ${title(path.at(-1), schema)}</button></p>`;
  }
  const one = ([name, field]) => {
    const set = (item) => change({ ...value, [name]: item });
    const at = { whole, errors, id: props.id, path: [...path, name], needed: required.has(name) };
    return html`<${Field} key=${name} schema=${field} value=${value[name]} change=${set} ...${at} />`;
  };
  const entries = Object.entries(schema.properties);
  const first = entries.filter(([name]) => required.has(name));
  const later = entries.filter(([name]) => !required.has(name));
  const used = later.some(([name]) => value[name] !== undefined) || own(errors, path, false).length > 0;
  const folded = first.length > 0 && later.length > 3;
  const body = html`${first.map(one)}
    ${folded ? html`<details class="fold" open=${used}><summary>${later.length} optional fields</summary>${later.map(one)}</details>` : later.map(one)}`;
  if (!path.length) return html`<div>${own(errors, path, true).map((error) => html`<p class="error">${error.message}</p>`)}${body}</div>`;
  return html`<fieldset>
    <legend>${named(props)}</legend>
    ${!needed && html`<button type="button" class="plain corner" onClick=${() => change(undefined)}>Leave out</button>`}
    ${body}
  </fieldset>`;
}

function List(props) {
  const { schema, whole, path, errors, needed, change } = props;
  const value = Array.isArray(props.value) ? props.value : [];
  const name = title(path.at(-1) ?? "items", schema);
  const set = (index) => (item) => change(value.map((old, place) => (place === index ? item : old)));
  const remove = (index) => {
    const left = value.filter((_, place) => place !== index);
    change(left.length || needed ? left : undefined);
  };
  const add = () => change([...value, blank(schema.items, whole)]);
  return html`<fieldset class="list">
    <legend>${named(props)}</legend>
    ${own(errors, path, true).map((error) => html`<p class="error" aria-invalid="true" tabindex="-1">${error.message}</p>`)}
    ${value.map((item, index) => html`<div class="item" key=${index}>
      <${Field} schema=${schema.items} value=${item} change=${set(index)} whole=${whole} errors=${errors} id=${props.id}
        path=${[...path, index]} needed=${true} label=${`${index + 1}`} />
      <button type="button" class="plain" aria-label=${`Remove ${name} ${index + 1}`} onClick=${() => remove(index)}>✕</button>
    </div>`)}
    <button type="button" onClick=${add}>Add to ${name}</button>
  </fieldset>`;
}
