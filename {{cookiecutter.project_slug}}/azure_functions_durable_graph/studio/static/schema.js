// JSON Schema as far as forms need it: what a field is, what it begins with, and whether what was typed is valid.
//
// While it is edited, a value is "raw": numbers are the texts that were typed, and what was left out is undefined.

/** The schema itself, behind references and behind "or null"; `nullable` says that null is allowed. */
export function resolve(schema, whole, depth = 0) {
  if (schema === true || !schema || depth > 20) return {};
  if (schema.$ref) {
    const { $ref, ...beside } = schema;
    const target = $ref.startsWith("#/") ? $ref.slice(2).split("/").reduce((at, part) => at?.[part], whole) : {};
    return resolve({ ...target, ...beside }, whole, depth + 1);
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
  if (schema.options) return schema.options.every((one) => one.properties) ? "options" : "json";
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

/** What a field begins with: nothing, unless it is needed and there is just one beginning. */
export function blank(given, whole, needed = true) {
  const schema = resolve(given, whole);
  if (schema.default !== undefined) return needed ? raw(schema.default, schema, whole) : undefined;
  if (!needed || schema.nullable) return undefined;
  const kind = kindOf(schema);
  if (kind === "choice") return choices(schema).length === 1 ? choices(schema)[0] : undefined;
  if (kind === "list") return Array.from({ length: schema.minItems ?? 0 }, () => blank(schema.items, whole));
  if (kind !== "object") return undefined;
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties).map(([name, field]) => [name, blank(field, whole, required.has(name))]);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** A JSON value as it is edited. */
export function raw(value, given, whole) {
  const schema = resolve(given, whole);
  const kind = kindOf(schema);
  if (value === undefined || value === null) return value;
  if (kind === "number" || (kind === "text" && typeof value !== "string")) return String(value);
  if (kind === "json" || kind === "options") return { json: JSON.stringify(value, null, 2) };
  if (kind === "list" && Array.isArray(value)) return value.map((item) => raw(item, schema.items, whole));
  if (kind === "object" && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, raw(item, schema.properties[name] ?? {}, whole)]),
    );
  }
  return value;
}

/** What was typed, as JSON, and what is wrong with it: `{value, errors: [{path: ["a", 0], message}]}`. */
export function read(value, given, whole, path = [], needed = true) {
  const errors = [];
  const found = reader(value, resolve(given, whole), { whole, path, needed, errors });
  return { value: found, errors };
}

function reader(value, schema, at) {
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
  options: (value, schema, at) => READERS.json(value, schema, at),
  text(value, schema, { path, errors }) {
    const wrong = textFault(value, schema);
    if (wrong) errors.push({ path, message: wrong });
    return value;
  },
  number(value, schema, { path, errors }) {
    const found = Number(String(value).trim().replace(",", "."));
    const wrong = numberFault(found, schema);
    if (wrong) errors.push({ path, message: wrong });
    return found;
  },
  json(value, schema, { path, errors }) {
    if (typeof value?.json !== "string") return value;
    try {
      return JSON.parse(value.json);
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

const FORMATS = {
  email: [/^[^@\s]+@[^@\s]+$/, "is not an e-mail address"],
  uuid: [/^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i, "is not a UUID"],
  date: [/^\d{4}-\d\d-\d\d$/, "is not a date such as 2026-01-31"],
  "date-time": [/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/, "is not a time such as 2026-01-31T08:00:00Z"],
};

function textFault(value, schema) {
  if (schema.minLength > value.length) return schema.minLength === 1 ? "is required" : `needs at least ${schema.minLength} characters`;
  if (schema.maxLength < value.length) return `can have at most ${schema.maxLength} characters`;
  const [shape, message] = FORMATS[schema.format] ?? [];
  if (shape && !shape.test(value)) return message;
  if (schema.decimal && Number.isNaN(Number(value))) return "is not a number";
  if (schema.pattern && !schema.decimal && !matches(schema.pattern, value)) return `does not match ${schema.pattern}`;
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

function numberFault(value, schema) {
  if (Number.isNaN(value)) return "is not a number";
  if (schema.type === "integer" && !Number.isInteger(value)) return "is not a whole number";
  if (value < schema.minimum) return `must be at least ${schema.minimum}`;
  if (value > schema.maximum) return `must be at most ${schema.maximum}`;
  if (value <= schema.exclusiveMinimum) return `must be more than ${schema.exclusiveMinimum}`;
  if (value >= schema.exclusiveMaximum) return `must be less than ${schema.exclusiveMaximum}`;
  return "";
}
