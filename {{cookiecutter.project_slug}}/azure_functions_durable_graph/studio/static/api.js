// The API of the app that serves this page, and the function key that opens it.

import { parseExactly } from "./exact.js";

/** The address below which the API's routes are: this file is `{root}studio/{digest}/api.js`. */
export const root = new URL("../..", import.meta.url).href;

const STORED = "durable-graph-studio-key";
let memory = null;

/** The key that the reader has given, "" if there is none. It is in this tab's memory and session storage only. */
export function key() {
  if (memory === null) {
    try {
      memory = sessionStorage.getItem(STORED) ?? "";
    } catch {
      memory = "";
    }
  }
  return memory;
}

export function keepKey(value) {
  memory = value;
  try {
    if (value) sessionStorage.setItem(STORED, value);
    else sessionStorage.removeItem(STORED);
  } catch {
    // storage is blocked: the key lasts until the page is closed
  }
}

/** Move the key from `?code=` or `#code=` into this tab, so that it is in no history, bookmark or screenshot. */
export function takeKey() {
  const url = new URL(location.href);
  const fragment = url.hash.startsWith("#code=") ? new URLSearchParams(url.hash.slice(1)) : null;
  const given = url.searchParams.get("code") ?? fragment?.get("code");
  if (given === null || given === undefined) return;
  url.searchParams.delete("code");
  if (fragment) url.hash = "";
  history.replaceState(null, "", url.pathname + url.search + url.hash);
  if (given) keepKey(given);
}

/** What the API, or the way to it, has refused: problem+json as an error. `errors` are the fields of a 422. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `the app answered ${status}`);
    this.status = status;
    this.title = body.title || "Something went wrong";
    this.code = String(body.type ?? "").replace("urn:durable-graph:", "");
    this.errors = body.errors ?? [];
  }
}

/** One request. Resolves to the JSON body, an object, or to the text that is asked for; raises Problem. */
export async function call(method, path, { body, signal, headers, plain } = {}) {
  const sent = { ...headers };
  if (key()) sent["x-functions-key"] = key();
  if (body !== undefined) sent["content-type"] = "application/json";
  let response;
  try {
    const text = body === undefined ? undefined : JSON.stringify(body);
    response = await fetch(root + path, { method, headers: sent, body: text, signal, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { title: "The app does not respond", detail: "Is it running? The studio keeps trying." });
  }
  if (response.status === 401) dispatchEvent(new Event("studio-locked"));
  const text = await response.text();
  const found = /json/.test(response.headers.get("content-type") ?? "") ? parsed(text) : null;
  const whole = found !== null && typeof found === "object" && !Array.isArray(found);
  if (!response.ok) throw new Problem(response.status, whole ? found : {});
  if (plain) return text;
  if (!whole && method !== "DELETE") throw new Problem(response.status, NOT_THE_API);
  return found;
}

const NOT_THE_API = { title: "Not a response of the app", detail: "The response is not from the API: is a proxy or a login page in front of it?" };

function parsed(text) {
  try {
    return parseExactly(text);
  } catch {
    return null;
  }
}

export const get = (path, options) => call("GET", path, options);
export const post = (path, body, options) => call("POST", path, { body: body ?? {}, ...options });

/** A path of the API with its parts escaped: path`runs/${id}/events/${event}`. */
export function path(texts, ...values) {
  return texts.reduce((all, text, index) => all + encodeURIComponent(values[index - 1]) + text);
}

const manifests = new Map();

/** The manifest of a graph's version, with the waits that its code shows. It never changes, so it is asked for once. */
export function manifestOf(graph, hash) {
  const address = path`graphs/${graph}/manifest` + (hash ? `?hash=${encodeURIComponent(hash)}` : "");
  if (!manifests.has(address)) {
    const loading = get(address);
    loading.catch(() => manifests.delete(address));
    manifests.set(address, loading);
  }
  return manifests.get(address);
}
