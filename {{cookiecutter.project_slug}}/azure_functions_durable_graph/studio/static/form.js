// A form made from a JSON Schema: labels, hints, and what is wrong at the field that it belongs to.

import { html, useMemo, useRef, useState } from "./vendor/htm-preact.js";
import { Any, Choice, Line, Text, message, named, own } from "./fields.js";
import { DEEPEST, blank, placeOf, raw, read } from "./values.js";
import { kindOf, resolve, tags, title, typeName } from "./schema.js";
import { Failure, pretty } from "./ui.js";

let made = 0;

/**
 * `send(value)` gets the JSON value; a Problem 422 that it raises is shown at its fields: `root` is where the errors'
 * places begin, as in ["payload", "reviewer"].
 */
export function Form({ schema, initial, send, label, root, onCancel, extra }) {
  const whole = schema ?? {};
  const free = !["object", "options"].includes(kindOf(resolve(whole, whole)));
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
      const { fields, rest } = placed(error, root, (path) => (text === null ? placeOf(path, value, whole, whole) : path));
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
function placed(error, root, place) {
  const mine = (error.errors ?? []).filter((item) => item.loc?.[0] === root);
  const found = mine.map((item) => ({ path: place(item.loc.slice(1)), message: item.msg }));
  const fields = found.filter(({ path }) => path !== null);
  return { fields, rest: fields.length && mine.length === error.errors.length ? null : error };
}

function Field(props) {
  const schema = useMemo(() => resolve(props.schema, props.whole), [props.schema, props.whole]);
  return html`<${FIELDS[kindOf(schema)]} ...${props} schema=${schema} />`;
}

const FIELDS = { text: Line, number: Line, choice: Choice, boolean: Choice, object: Group, list: List, json: Any, options: Kinds };

/** The fields of an object: what is needed first, what is optional folded away if there is much of it. */
function Group(props) {
  const { schema, whole, errors, path, needed, change } = props;
  const value = props.value ?? {};
  const required = new Set(schema.required);
  if ((!needed || path.length > DEEPEST) && props.value === undefined && path.length) {
    return html`<p class="field"><button type="button" onClick=${() => change(blank(schema, whole) ?? {})}>Add ${title(path.at(-1), schema)}</button></p>`;
  }
  const one = ([name, field]) => {
    const set = (item) => change({ ...value, [name]: item });
    const at = { whole, errors, id: props.id, path: [...path, name], needed: required.has(name) };
    return html`<${Field} key=${name} schema=${field} value=${value[name]} change=${set} ...${at} />`;
  };
  const entries = Object.entries(schema.properties).filter(([name]) => !props.tags || !(name in props.tags));
  const first = entries.filter(([name]) => required.has(name));
  const later = entries.filter(([name]) => !required.has(name));
  const used = later.some(([name]) => value[name] !== undefined) || own(errors, path, false).length > 0;
  const folded = first.length > 0 && later.length > 3;
  const body = html`${first.map(one)}
    ${folded ? html`<details class="fold" open=${used}><summary>${later.length} optional fields</summary>${later.map(one)}</details>` : later.map(one)}`;
  const wrong = own(errors, path, true).map((error) => html`<p class="error">${error.message}</p>`);
  if (!path.length || props.tags) return html`<div>${wrong}${body}</div>`;
  return html`<fieldset>
    <legend>${named(props)}</legend>
    ${wrong}
    ${!needed && html`<button type="button" class="plain corner" onClick=${() => change(undefined)}>Leave out</button>`}
    ${body}
  </fieldset>`;
}

/** One of several kinds: which one, and its fields. */
function Kinds(props) {
  const { schema, whole, path, errors, needed, change } = props;
  const { pick, value } = props.value ?? {};
  const id = `${props.id}-${path.join("-")}-kind`;
  const option = schema.options[pick] ?? (pick === -1 ? {} : null);
  const known = option && resolve(option, whole);
  const wrong = option ? [] : own(errors, path, false);
  const turn = (event) => {
    const index = Number(event.target.value);
    change(event.target.value === "" ? undefined : { pick: index, value: blank(schema.options[index], whole) });
  };
  const put = (item) => change({ pick, value: item });
  const none = !needed && (schema.default ?? null) !== null ? "default" : schema.nullable ? "null" : needed ? "choose …" : "–";
  const names = schema.options.map((one) => typeName(one, whole));
  return html`<fieldset class="kinds ${wrong.length ? "wrong" : ""}">
    <legend>${named(props)}</legend>
    <label class="field" for=${id}><span class="hint">kind</span>
      <select id=${id} aria-label=${`Kind of ${props.label ?? path.at(-1) ?? "payload"}`} aria-invalid=${wrong.length > 0} onChange=${turn}>
        <option value="" selected=${pick === undefined}>${none}</option>
        ${names.map((name, index) => html`<option value=${index} selected=${index === pick}>${name}${names.indexOf(name) === index ? "" : ` (${index + 1})`}</option>`)}
        ${pick === -1 && html`<option value="-1" selected>any JSON</option>`}
      </select></label>
    ${schema.description && html`<p class="hint">${schema.description}</p>`}
    ${wrong.map((error) => html`<p class="error">${message(error, path)}</p>`)}
    ${known && html`<${Field} key=${pick} schema=${known} value=${value} change=${put} whole=${whole} errors=${errors} id=${props.id} path=${path}
      needed=${true} label=${kindOf(known) === "object" ? undefined : names[pick] ?? "JSON"} tags=${known.properties && tags(known, whole)} />`}
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
