// Numbers that JavaScript would round: integers beyond 2^53, and what is beyond its floats. Where the browser knows
// JSON.rawJSON (all of them since 2025), each is kept as it was written; elsewhere it is rounded.

const KNOWN = typeof JSON.rawJSON === "function";
const LONG = /\d{16}|e\+?\d{3}/i;

/** A JSON text as a value, in which such a number is what `isExact` knows. Raises SyntaxError. */
export function parseExactly(text) {
  return KNOWN && LONG.test(text) ? JSON.parse(text, kept) : JSON.parse(text);
}

function kept(name, value, context) {
  if (typeof value !== "number" || Number.isSafeInteger(value) || String(value) === context.source) return value;
  return Number.isInteger(value) || !Number.isFinite(value) ? JSON.rawJSON(context.source) : value;
}

export function isExact(value) {
  return KNOWN && JSON.isRawJSON(value);
}

/** Any number as JavaScript counts with it. */
export function roughly(value) {
  return isExact(value) ? Number(value.rawJSON) : value;
}

/** What was typed as a number. */
export function typedNumber(text) {
  const found = Number(text);
  const whole = /^[+-]?0*(\d+)$/.exec(text);
  if (!KNOWN || !whole || Number.isSafeInteger(found)) return found;
  return JSON.rawJSON(`${text.startsWith("-") ? "-" : ""}${whole[1]}`);
}
