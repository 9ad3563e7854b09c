// What keeps the page fresh: polling that pauses with the tab, and hooks for what is loaded once.

import { useCallback, useEffect, useRef, useState } from "./vendor/htm-preact.js";
import { isExact } from "./exact.js";

const SLOWEST = 15000;

/** What has not changed keeps its identity, so that only what has changed is drawn again. */
export function same(before, after) {
  if (before === after || typeof before !== "object" || typeof after !== "object" || !before || !after) {
    return Object.is(before, after) ? before : after;
  }
  if (isExact(after)) return before.rawJSON === after.rawJSON ? before : after;
  if (Array.isArray(before) !== Array.isArray(after)) return after;
  const merged = Object.entries(after).map(([name, value]) => [name, Object.hasOwn(before, name) ? same(before[name], value) : value]);
  const equal = merged.length === Object.keys(before).length && merged.every(([name, value]) => Object.hasOwn(before, name) && Object.is(value, before[name]));
  if (equal) return before;
  return Array.isArray(after) ? merged.map(([, value]) => value) : Object.fromEntries(merged);
}

/**
 * Load again and again: `load(signal, before)` gives the data, `pause(data)` the milliseconds until the next time, or
 * null when nothing changes any more. After an error it tries again, more and more slowly. A hidden tab rests.
 */
export function usePoll(load, pause, key) {
  const [state, setState] = useState({ key, data: undefined, error: null });
  const latest = useRef({});
  latest.current = { load, pause };
  const again = useRef(() => {});
  useEffect(() => {
    let timer = 0;
    let misses = 0;
    let data;
    let stopped = false;
    let aborter = new AbortController();
    const tick = async () => {
      clearTimeout(timer);
      aborter.abort();
      const mine = (aborter = new AbortController());
      let next;
      try {
        data = same(data, await latest.current.load(mine.signal, data));
        misses = 0;
        next = latest.current.pause(data);
        if (!stopped && mine === aborter) setState((old) => keep(old, { key, data, error: null }));
      } catch (error) {
        if (error.name === "AbortError") return;
        misses += 1;
        next = Math.min(SLOWEST, 1000 * 2 ** misses);
        if (!stopped && mine === aborter) setState({ key, data, error });
      }
      if (!stopped && mine === aborter && next !== null && !document.hidden) timer = setTimeout(tick, next);
    };
    const shown = () => !document.hidden && tick();
    again.current = tick;
    document.addEventListener("visibilitychange", shown);
    tick();
    return () => {
      stopped = true;
      clearTimeout(timer);
      aborter.abort();
      document.removeEventListener("visibilitychange", shown);
    };
  }, [key]);
  const refresh = useCallback(() => again.current(), []);
  const current = state.key === key ? state : { data: undefined, error: null };
  return { ...current, refresh };
}

function keep(old, found) {
  return old.key === found.key && old.data === found.data && old.error === found.error ? old : found;
}

/** Load once for a key. */
export function useLoaded(load, key) {
  const [state, setState] = useState({});
  useEffect(() => {
    let stopped = false;
    if (key === null) return undefined;
    load().then(
      (data) => stopped || setState({ key, data }),
      (error) => stopped || setState({ key, error }),
    );
    return () => (stopped = true);
  }, [key]);
  return state.key === key ? state : {};
}

/** The time, again every so many milliseconds. */
export function useNow(every = 1000) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** Where the reader is: the fragment as a list of names and a table of what follows "?". */
export function place() {
  const [names, query] = location.hash.replace(/^#\/?/, "").split("?");
  const parts = names.split("/").filter(Boolean).map(decoded);
  return { parts, query: Object.fromEntries(new URLSearchParams(query ?? "")) };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The address of a place within the page. Empty values are left out. */
export function link(parts, query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null);
  const asked = new URLSearchParams(kept).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${asked && "?"}${asked}`;
}

export function usePlace() {
  const [now, setNow] = useState(place);
  useEffect(() => {
    const moved = () => setNow(place());
    addEventListener("hashchange", moved);
    moved(); // the reader may have moved on before this listened
    return () => removeEventListener("hashchange", moved);
  }, []);
  return now;
}
