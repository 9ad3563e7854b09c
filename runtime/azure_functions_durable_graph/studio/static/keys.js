// The keyboard: what single keys do where nobody is typing.

import { html, useEffect } from "./vendor/htm-preact.js";
import { Dialog } from "./ui.js";

export const KEYS = [
  ["r", "all runs"],
  ["g", "the graphs"],
  ["/", "search for a run"],
  ["j  k", "next and previous run, or step"],
  ["Enter", "open it"],
  ["a", "go to the first answer"],
  ["?", "show this list"],
];

const STOPS = ".line a.id, .step > .bar-line, .cards > li > a";

/** Each key with what it does; `help` opens the list of them. */
function actions(help) {
  return {
    r: () => (location.hash = "#/runs"),
    g: () => (location.hash = "#/graphs"),
    "/": search,
    j: () => step(1),
    k: () => step(-1),
    a: () => document.querySelector(".wait input, .wait select, .wait textarea, .wait button")?.focus(),
    "?": help,
  };
}

let sought = false;

function search() {
  const box = document.getElementById("search");
  if (box) box.focus();
  else {
    sought = true;
    location.hash = "#/runs";
  }
}

/** What gets the focus on a new view: the search, if the key for it has led there. */
export function focusOf(main) {
  const box = sought ? document.getElementById("search") : null;
  if (box) sought = false; // else the view that was left has just come to its turn
  return box ?? main;
}

function step(by) {
  const all = [...document.querySelectorAll(STOPS)];
  const now = all.indexOf(document.activeElement);
  const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + by));
  all[next]?.focus();
}

export function useKeys(help) {
  useEffect(() => {
    const table = actions(help);
    const pressed = (event) => {
      const typing = event.target.closest?.("input, textarea, select, dialog[open], [contenteditable]");
      if (typing || event.ctrlKey || event.metaKey || event.altKey || !table[event.key]) return;
      event.preventDefault();
      table[event.key]();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [help]);
}

export function Help({ close }) {
  return html`<${Dialog} title="Keyboard shortcuts" onClose=${close}>
    <table class="plain-table">${KEYS.map(([key, text]) => html`<tr><th scope="row"><kbd>${key}</kbd></th><td>${text}</td></tr>`)}</table>
  <//>`;
}
