// JSON Schema as far as forms need it: what a field is, and whether a value is valid.

import { roughly } from "./exact.js";

/** The schema itself, behind references and "or null": `nullable` says that null is allowed, `model` what it is called. */
export function resolve(schema, whole, depth = 0) {
  if (schema === true || !schema || depth > 20) return {};
  if (schema.$ref) {
    const { $ref, ...beside } = schema;
    const target = $ref.startsWith("#/") ? $ref.slice(2).split("/").reduce((at, part) => at?.[part], whole) : {};
    return resolve({ ...target, title: undefined, model: target?.title ?? $ref.replace(/.*(\/|__)/, ""), ...beside }, whole, depth + 1);
  }
  if (schema.allOf?.length === 1) {
    const { allOf, ...beside } = schema;
    return resolve({ ...allOf[0], ...beside }, whole, depth + 1);
  }
  const options = schema.anyOf ?? schema.oneOf;
  if (!options) return schema;
  const { anyOf, oneOf, ...beside } = schema;
  const real = options.filter((option) => option.type !== "null");
  const nullable = real.length < options.length;
  const number = real.length === 2 && real.some((one) => one.type === "number") && real.find((one) => one.type === "string");
  if (number) return { ...beside, ...number, decimal: true, nullable };
  if (real.length === 1) return { ...resolve({ ...real[0], ...beside }, whole, depth + 1), nullable };
  return { ...beside, options: real.map((option) => resolve(option, whole, depth + 1)), nullable };
}

/** How a field is edited: choice, boolean, number, text, object, list, options, or json for everything else. */
export function kindOf(schema) {
  if (schema.const !== undefined || schema.enum) return "choice";
  if (schema.options) return "options";
  if (schema.type === "boolean") return "boolean";
  if (schema.type === "integer" || schema.type === "number") return "number";
  if (schema.type === "string") return "text";
  if (schema.type === "object" && schema.properties) return "object";
  if (schema.type === "array" && schema.items && !schema.prefixItems) return "list";
  return "json";
}

export const choices = (schema) => (schema.const !== undefined ? [schema.const] : schema.enum);

export function title(name, schema) {
  return schema.title && schema.title.toLowerCase() !== String(name).replaceAll("_", " ") ? schema.title : String(name);
}

/** What a field takes, in words. */
export function typeName(field, whole, depth = 0) {
  const found = resolve(field, whole);
  const kind = kindOf(found);
  const none = found.nullable ? " or null" : "";
  if (kind === "choice") return (found.enum ?? [found.const]).map((one) => JSON.stringify(one)).join(" | ") + none;
  if (kind === "list") return `list of ${depth > 3 ? "…" : typeName(found.items, whole, depth + 1)}${none}`;
  if (found.options) return found.options.map((one) => (depth > 3 ? "…" : typeName(one, whole, depth + 1))).join(" or ") + none;
  if (kind === "object") return (found.model ?? found.title ?? "object") + none;
  return (found.decimal ? "number or string" : (found.format ?? found.type ?? "any JSON")) + none;
}

/** The members that say which of several kinds an object is: those that can have just one value. */
export function tags(given, whole) {
  const members = Object.entries(resolve(given, whole).properties ?? {}).map(([name, field]) => [name, resolve(field, whole).const]);
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

const plainObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether a JSON value is valid, as far as this can tell. */
export function fits(value, given, whole) {
  const schema = resolve(given, whole);
  if (value === null) return !!schema.nullable || schema.type === "null" || !schema.type;
  return FITS[kindOf(schema)](value, schema, whole);
}

const FITS = {
  choice: (value, schema) => choices(schema).includes(value),
  options: (value, schema, whole) => schema.options.some((option) => fits(value, option, whole)),
  boolean: (value) => typeof value === "boolean",
  number: (value, schema) => typeof roughly(value) === "number" && !numberFault(value, schema),
  text: (value, schema) => (typeof value === "string" || (schema.decimal && typeof value === "number")) && !textFault(String(value), schema),
  list: (value, schema, whole) => Array.isArray(value) && value.every((item) => fits(item, schema.items, whole)),
  object(value, schema, whole) {
    const names = Object.keys(schema.properties);
    return plainObject(value) && (schema.required ?? []).every((name) => name in value) && names.every((name) => !(name in value) || fits(value[name], schema.properties[name], whole));
  },
  json: (value, schema) => ({ object: plainObject, array: Array.isArray })[schema.type]?.(value) ?? true,
};

const FORMATS = {
  email: [/^[^@\s]+@[^@\s]+$/, "is not an e-mail address"],
  uuid: [/^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i, "is not a UUID"],
  date: [/^\d{4}-\d\d-\d\d$/, "is not a date such as 2026-01-31"],
  "date-time": [/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/, "is not a time such as 2026-01-31T08:00:00Z"],
};

export function textFault(value, schema) {
  if (schema.minLength > value.length) return schema.minLength === 1 ? "is required" : `needs at least ${schema.minLength} characters`;
  if (schema.maxLength < value.length) return `can have at most ${schema.maxLength} characters`;
  const [shape, message] = FORMATS[schema.format] ?? [];
  if (shape && !shape.test(value)) return message;
  if (schema.pattern && !matches(schema.pattern, value)) return `does not match ${schema.pattern}`;
  return "";
}

/** Python's patterns are not JavaScript's: one that cannot be read here is left to the server. */
function matches(pattern, value) {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}

export function numberFault(given, schema) {
  const value = roughly(given);
  if (Number.isNaN(value)) return "is not a number";
  if (schema.type === "integer" && !Number.isInteger(value)) return "is not a whole number";
  if (value < roughly(schema.minimum)) return `must be at least ${JSON.stringify(schema.minimum)}`;
  if (value > roughly(schema.maximum)) return `must be at most ${JSON.stringify(schema.maximum)}`;
  if (value <= roughly(schema.exclusiveMinimum)) return `must be more than ${JSON.stringify(schema.exclusiveMinimum)}`;
  if (value >= roughly(schema.exclusiveMaximum)) return `must be less than ${JSON.stringify(schema.exclusiveMaximum)}`;
  return "";
}
