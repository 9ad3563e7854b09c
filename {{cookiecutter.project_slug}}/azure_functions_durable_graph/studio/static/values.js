// A value while it is edited: what it begins with, and what it is when it is sent.
//
// It is "raw" then: numbers are the texts that were typed, what was left out is undefined, and one of several kinds is
// `{pick, value}`, the index of its kind (-1 for none of them) and its raw value.

import { isExact, parseExactly, typedNumber } from "./exact.js";
import { choices, fits, kindOf, numberFault, resolve, tags, textFault } from "./schema.js";

/** What a field begins with: nothing, unless it is needed and there is just one beginning. */
export function blank(given, whole, needed = true, depth = 0) {
  const schema = resolve(given, whole);
  if (depth > DEEPEST) return undefined;
  if (schema.default !== undefined) return needed ? raw(schema.default, schema, whole) : undefined;
  if (!needed || schema.nullable) return undefined;
  const kind = kindOf(schema);
  if (kind === "choice") return choices(schema).length === 1 ? choices(schema)[0] : undefined;
  if (kind === "list") return Array.from({ length: schema.minItems ?? 0 }, () => blank(schema.items, whole, true, depth + 1));
  if (kind !== "object") return undefined;
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties).map(([name, field]) => [name, blank(field, whole, required.has(name), depth + 1)]);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** How deep a form opens by itself: a model may need itself. */
export const DEEPEST = 6;

/** A JSON value as it is edited. */
export function raw(value, given, whole) {
  const schema = resolve(given, whole);
  const kind = kindOf(schema);
  if (value === undefined || value === null) return value;
  if (isExact(value) && kind !== "json" && kind !== "options") return value.rawJSON;
  if (kind === "number" || (kind === "text" && typeof value !== "string")) return typeof value === "object" ? JSON.stringify(value) : String(value);
  if (kind === "options") return picked(value, schema.options, whole);
  if (kind === "json") return { json: JSON.stringify(value, null, 2) };
  if (kind === "list" && Array.isArray(value)) return value.map((item) => raw(item, schema.items, whole));
  if (kind === "object" && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, raw(item, schema.properties[name] ?? {}, whole)]),
    );
  }
  return value;
}

/** One of several kinds: of those that the value fits, the one that knows most of its members. */
function picked(value, options, whole) {
  const known = (option) => Object.keys(value).filter((name) => name in (resolve(option, whole).properties ?? {})).length;
  const found = options.map((option, index) => [fits(value, option, whole) ? known(option) : -1, index]);
  const [score, pick] = found.reduce((best, one) => (one[0] > best[0] ? one : best));
  return score < 0 ? { pick: -1, value: { json: JSON.stringify(value, null, 2) } } : { pick, value: raw(value, options[pick], whole) };
}

/** What was typed, as JSON, and what is wrong with it: `{value, errors: [{path: ["a", 0], message}]}`. */
export function read(value, given, whole, path = [], needed = true) {
  const errors = [];
  const found = reader(value, resolve(given, whole), { whole, path, needed, errors });
  return { value: found, errors };
}

function reader(value, schema, at) {
  if (value === undefined && schema.nullable && at.needed) return null;
  if (value === undefined || (value === "" && !(kindOf(schema) === "text" && at.needed && !schema.decimal && !schema.format))) {
    if (at.needed) at.errors.push({ path: at.path, message: "is required" });
    return undefined;
  }
  if (value === null) return null;
  return READERS[kindOf(schema)](value, schema, at);
}

const READERS = {
  choice: (value) => value,
  boolean: (value) => value,
  options({ pick, value }, schema, at) {
    const option = schema.options[pick];
    if (!option) return READERS.json(value, {}, at);
    const found = reader(value, resolve(option, at.whole), { ...at, needed: true });
    return kindOf(option) === "object" ? { ...tags(option, at.whole), ...found } : found;
  },
  text(value, schema, { path, errors }) {
    const wrong = textFault(value, schema);
    if (wrong) errors.push({ path, message: wrong });
    return value;
  },
  number(value, schema, { path, errors }) {
    const found = typedNumber(String(value).trim().replace(",", "."));
    const wrong = numberFault(found, schema);
    if (wrong) errors.push({ path, message: wrong });
    return found;
  },
  json(value, schema, { path, errors }) {
    if (typeof value?.json !== "string") return value;
    try {
      return parseExactly(value.json);
    } catch (error) {
      errors.push({ path, message: `is not JSON: ${error.message}` });
      return undefined;
    }
  },
  list(value, schema, { whole, path, errors }) {
    if (schema.minItems > value.length) errors.push({ path, message: `needs at least ${schema.minItems}` });
    if (schema.maxItems < value.length) errors.push({ path, message: `can have at most ${schema.maxItems}` });
    const items = resolve(schema.items, whole);
    return value.map((item, index) => reader(item, items, { whole, path: [...path, index], needed: true, errors }));
  },
  object(value, schema, { whole, path, errors }) {
    const required = new Set(schema.required);
    const found = {};
    for (const [name, field] of Object.entries(schema.properties)) {
      const at = { whole, path: [...path, name], needed: required.has(name), errors };
      const item = reader(value[name], resolve(field, whole), at);
      if (item !== undefined) found[name] = item;
    }
    return { ...others(value, schema.properties), ...found };
  },
};

/** Members of an object that its schema does not name: they came with a sample, and stay. */
function others(value, known) {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !(name in known)));
}

const PYTHON = { string: "str", integer: "int", number: "float", boolean: "bool", array: "list", object: "dict" };

/** Whether a part of an error's place stands for one of several kinds: pydantic names the model, its tag, or the type. */
function means(part, option, whole) {
  if (option.properties) return [option.model, option.title].includes(part) || Object.values(tags(option, whole)).includes(part);
  return String(part).includes(PYTHON[option.type] ?? "literal");
}

/**
 * Where the form shows an error of the server: its place without the parts that stand for kinds. Null for an error of a
 * kind that was not picked.
 */
export function placeOf(path, value, given, whole) {
  const schema = resolve(given, whole);
  const [part, ...rest] = path;
  if (part === undefined) return [];
  if (schema.options) {
    const named = schema.options.findIndex((option) => means(part, option, whole));
    if (named < 0) return [];
    return value?.pick === named ? placeOf(rest, value.value, schema.options[named], whole) : null;
  }
  const below = schema.properties?.[part] ?? schema.items;
  const found = below ? placeOf(rest, value?.[part], below, whole) : rest;
  return found && [part, ...found];
}
