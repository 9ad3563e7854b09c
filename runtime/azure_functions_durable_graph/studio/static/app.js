// The studio: takes the key, shows the place that the address names, and says what has happened.

import { html, render, useCallback, useEffect, useErrorBoundary, useRef, useState } from "./vendor/htm-preact.js";
import { get, keepKey, key, takeKey } from "./api.js";
import { GraphPage, Graphs } from "./graphs.js";
import { Help, focusOf, useKeys } from "./keys.js";
import { usePlace } from "./live.js";
import { Run } from "./run.js";
import { Runs } from "./runs.js";
import { Empty, Failure } from "./ui.js";

takeKey();

const THEMES = ["auto", "light", "dark"];

function App() {
  const { parts, query } = usePlace();
  const [entry, setEntry] = useState({ open: null });
  const [said, setSaid] = useState("");
  const [help, setHelp] = useState(false);
  const main = useRef(null);
  const say = useCallback((text) => {
    setSaid(text);
    clearTimeout(say.timer);
    say.timer = setTimeout(() => setSaid(""), 8000);
  }, []);
  const ask = useCallback(() => setHelp(true), []);
  useKeys(ask);
  const enter = async () => {
    try {
      await get("graphs");
      setEntry({ open: true });
    } catch (error) {
      setEntry({ open: false, error });
    }
  };
  useEffect(() => {
    enter();
    const locked = () => setEntry((old) => (old.open ? { open: false, error: { status: 401 } } : old));
    addEventListener("studio-locked", locked);
    return () => removeEventListener("studio-locked", locked);
  }, []);
  const here = parts.join("/");
  useEffect(() => {
    const name = parts.length > 1 ? parts[1] : (parts[0] ?? "runs");
    document.title = `${name} · Studio`;
    focusOf(main.current)?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [here, entry.open]);
  return html`<a class="skip" href="#main" onClick=${(event) => (event.preventDefault(), main.current.focus())}>Skip to content</a>
    <${Bar} at=${parts[0] ?? "runs"} help=${ask} forget=${() => (keepKey(""), enter())} />
    <main id="main" ref=${main} tabindex="-1">
      ${entry.open === null && html`<p class="hint" role="status">Connecting …</p>`}
      ${entry.open === false && html`<${Gate} error=${entry.error} enter=${enter} />`}
      ${entry.open && html`<${View} parts=${parts} query=${query} say=${say} />`}
    </main>
    <div class="said" role="status">${said && html`<p>${said}</p>`}</div>
    ${help && html`<${Help} close=${() => setHelp(false)} />`}`;
}

function View({ parts, query, say }) {
  const [broken, again] = useErrorBoundary();
  const here = location.hash;
  useEffect(() => again(), [here]);
  if (broken) return html`<h1>Studio</h1><${Failure} error=${{ title: "This view has failed", message: broken.message }} again=${again} />`;
  const [first = "runs", second] = parts;
  if (first === "runs" && second) return html`<${Run} key=${second} id=${second} query=${query} say=${say} />`;
  if (first === "runs") return html`<${Runs} query=${query} />`;
  if (first === "graphs" && second) return html`<${GraphPage} key=${second} name=${second} query=${query} say=${say} />`;
  if (first === "graphs") return html`<${Graphs} />`;
  return html`<${Empty} title="There is nothing here.">Look at <a href="#/runs">the runs</a>.<//>`;
}

function Bar({ at, help, forget }) {
  const [theme, setTheme] = useState("auto");
  const turn = () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    setTheme(next);
    document.documentElement.dataset.theme = next;
  };
  const tab = (name, text) => html`<a href=${`#/${name}`} aria-current=${at === name ? "page" : undefined}>${text}</a>`;
  return html`<header class="bar">
    <span class="brand">Studio</span>
    <nav aria-label="Main">${tab("runs", "Runs")} ${tab("graphs", "Graphs")}</nav>
    <span class="host hint">${location.host}</span>
    <button type="button" class="plain" onClick=${turn} title="Light or dark">${theme === "auto" ? "Auto" : theme === "dark" ? "Dark" : "Light"}</button>
    <button type="button" class="plain" onClick=${help} aria-label="Keyboard shortcuts"><kbd>?</kbd></button>
    ${key() && html`<button type="button" class="plain" onClick=${forget}>Forget the key</button>`}
  </header>`;
}

/** Asks for the function key where the API wants one. */
function Gate({ error, enter }) {
  const [text, setText] = useState("");
  if (![401, 403].includes(error.status)) return html`<h1>Studio</h1><${Failure} error=${error} again=${enter} />`;
  const submit = (event) => {
    event.preventDefault();
    keepKey(text.trim());
    enter();
  };
  return html`<form class="gate" onSubmit=${submit}>
    <h1>Function key required</h1>
    <p>${key() ? "The app does not accept this key." : "The API of this app requires one."} You can find it in the portal under App keys, or with
      <code>az functionapp keys list</code>. It stays in this tab, and is sent only as a header.</p>
    <label for="key">Function key</label>
    <input id="key" type="password" autocomplete="off" value=${text} onInput=${(event) => setText(event.target.value)} />
    <div class="row"><button type="submit" class="main">Open the studio</button></div>
  </form>`;
}

const mount = document.getElementById("app");
mount.textContent = "";
render(html`<${App} />`, mount);
