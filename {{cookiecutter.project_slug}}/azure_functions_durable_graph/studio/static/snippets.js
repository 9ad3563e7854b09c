// A run as a command that starts it, and as a test that reproduces it.

import { get, manifestOf, path, root } from "./api.js";
import { isExact } from "./exact.js";
import { parse } from "./times.js";

export function asCurl(view) {
  const body = { input: view.input };
  if (Object.keys(view.metadata ?? {}).length) body.metadata = view.metadata;
  if (Object.keys(view.tags ?? {}).length) body.tags = view.tags;
  const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
  const lines = [`curl -X POST "${root}${path`graphs/${view.graph}/runs`}"`, '-H "Content-Type: application/json"'];
  if (!/^https?:\/\/(127\.|localhost|\[::1\])/.test(root)) lines.push('-H "x-functions-key: $FUNCTION_KEY"');
  return [...lines, `-d '${quoted}'`].join(" \\\n  ");
}

/** A JSON value as Python writes it. */
export function python(value, indent = "    ") {
  if (value === null || value === undefined) return "None";
  if (isExact(value)) return value.rawJSON;
  if (value === true || value === false) return value ? "True" : "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(value);
  const items = Array.isArray(value)
    ? value.map((item) => python(item, `${indent}    `))
    : Object.entries(value).map(([name, item]) => `${quoted(name)}: ${python(item, `${indent}    `)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const flat = `${open}${items.join(", ")}${close}`;
  if (flat.length + indent.length <= 100 && !flat.includes("\n")) return flat;
  return `${open}\n${items.map((item) => `${indent}    ${item},\n`).join("")}${indent}${close}`;
}

/** JSON's escapes are Python's, too, but for characters beyond the first plane, which stand for themselves. */
function quoted(text) {
  return JSON.stringify(text).replace(/[\x7f-\x9f\u2028\u2029\ufeff]/g, (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

const BUILTIN = new Set(
  ("ArithmeticError AssertionError AttributeError BlockingIOError BrokenPipeError BufferError ChildProcessError " +
    "ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError EOFError Exception FileExistsError " +
    "FileNotFoundError IndexError InterruptedError IsADirectoryError KeyError LookupError MemoryError ModuleNotFoundError " +
    "NameError NotADirectoryError NotImplementedError OSError OverflowError PermissionError ProcessLookupError " +
    "RecursionError ReferenceError RuntimeError StopAsyncIteration SyntaxError SystemError TimeoutError TypeError " +
    "UnboundLocalError ValueError ZeroDivisionError").split(" "),
);

/** Where an error that a handler has raised is recorded; what was raised elsewhere follows from the input. */
const RAISED = new Set(["handler", "activity"]);

/** The run, those below it, and what a test of them needs. */
async function family(view, history) {
  const below = [];
  for (const step of history.steps.filter((one) => one.child)) {
    const child = await get(path`runs/${step.child}`).catch(() => null);
    if (child) below.push(...(await family(child, await get(path`runs/${step.child}/history`))));
  }
  return [{ view, history, manifest: await manifestOf(view.graph, view.graph_hash) }, ...below];
}

/** A pytest that starts the run, answers it, lets time pass, and makes the same calls fail. */
export async function asTest(view, history) {
  const runs = await family(view, history);
  const graphs = await imports(runs);
  const classes = new Map();
  const failures = joined(runs.flatMap((run) => planned(run, classes)));
  const lines = [...starting(view, graphs, failures), ...moved(view, runs), ...asserted(view, history)];
  const used = lines.join("\n").includes("timedelta(") ? ["from datetime import timedelta", ""] : [];
  const door = graphs.length > 1 ? "GraphHost" : "run_graph";
  return [
    ...used,
    ...[...graphs.map(imported), `from azure_functions_durable_graph.testing import ${door}`].sort(),
    ...graphs.filter((graph) => !graph.code).flatMap(looked),
    "",
    "",
    ...[...classes].flatMap(([name, base]) => [`class ${name}(${base}):`, '    """As the run has recorded it."""', "", ""]),
    `def test_${view.graph.replaceAll(/\W/g, "_")}_as_in_${view.id.replaceAll(/\W/g, "_").slice(-12)}() -> None:`,
    ...lines.map((line) => (line ? `    ${line}` : "")),
    "",
  ].join("\n");
}

/** Every graph that the run needs, by the names under which the test imports them. */
async function imports(runs) {
  const found = new Map();
  const add = (answer) => {
    if (found.has(answer.graph)) return [];
    const clash = [...found.values()].some((other) => other.code?.name === answer.code?.name);
    const alias = clash || !answer.code ? `${answer.graph.replaceAll(/\W/g, "_")}_graph` : answer.code.name;
    found.set(answer.graph, { ...answer, alias });
    return Object.values(answer.manifest.nodes).filter((node) => node.graph && !found.has(node.graph));
  };
  const queue = runs.flatMap((run) => add(run.manifest));
  while (queue.length) queue.push(...add(await manifestOf(queue.shift().graph)));
  return [...found.values()];
}

function imported({ code, alias }) {
  if (!code) return "from function_app import runtime";
  return `from ${code.module} import ${code.name}${alias === code.name ? "" : ` as ${alias}`}`;
}

function looked({ graph, alias }) {
  return ["", `${alias} = runtime.registry.default(${quoted(graph)})`];
}

/** The calls that failed, by node, and by item where it is a map: None where a call succeeded. */
function planned({ view, history, manifest }, classes) {
  const calls = new Map();
  const add = (node, item, more) => {
    const id = `${node} ${item}`;
    calls.set(id, { node, item, all: [...(calls.get(id)?.all ?? []), ...more] });
  };
  const call = (error) => (error && RAISED.has(error.where) ? raised(error, classes) : "None");
  for (const step of history.steps) {
    const most = manifest.manifest.nodes[step.node]?.retry?.max_attempts ?? 1;
    const items = new Set((step.item_failures ?? []).map((one) => one.item)); // in the order in which they failed
    for (const item of [...items].sort((first, second) => first - second)) {
      const errors = step.item_failures.filter((one) => one.item === item).map((one) => call(one.error));
      add(step.node, item, errors.length < most ? [...errors, "None"] : errors);
    }
    const errors = [...(step.failures ?? []).map((one) => one.error), step.error ?? null];
    // a branch that is a run of its own has its calls in that run
    if (["task", "branch"].includes(step.kind) && !(step.branch && step.child)) add(step.node, undefined, errors.map(call));
  }
  const failing = [...calls.values()].filter(({ all }) => all.some((one) => one !== "None"));
  return failing.map(({ node, item, all }) => ({ node, item, graph: view.graph, calls: trimmed(all) }));
}

/** One list of calls for each node: a branch may be a run of its own. */
function joined(plans) {
  const found = new Map();
  for (const plan of plans) {
    const id = `${plan.graph} ${plan.node} ${plan.item}`;
    found.set(id, { ...plan, calls: [...(found.get(id)?.calls ?? []), ...plan.calls] });
  }
  return [...found.values()];
}

function trimmed(calls) {
  let end = calls.length;
  while (calls[end - 1] === "None") end -= 1;
  return calls.slice(0, end);
}

function raised(error, classes) {
  const type = /^[A-Za-z_]\w*$/.test(error.type) ? error.type : "RecordedError";
  if (!BUILTIN.has(type)) classes.set(type, (error.bases ?? []).find((base) => BUILTIN.has(base)) ?? "Exception");
  return `${type}(${quoted(error.message)})`;
}

function starting(view, graphs, failures) {
  const main = graphs[0].alias;
  const more = Object.keys(view.metadata ?? {}).length ? `, metadata=${python(view.metadata)}` : "";
  const input = python(view.input);
  const lines = [];
  if (graphs.length > 1) {
    lines.push(`host = GraphHost(${graphs.map((graph) => graph.alias).join(", ")})`);
    for (const { node, item, graph, calls } of failures) lines.push(`host.fail(${quoted(node)}, ${calls.join(", ")}, ${item === undefined ? "" : `item=${item}, `}graph=${quoted(graph)})`);
    lines.push(`run = host.start(${quoted(view.graph)}, ${input}${more})`);
  } else {
    const lists = new Map();
    for (const { node, item, calls } of failures) lists.set(node, [...(lists.get(node) ?? []), `${item === undefined ? "" : `${item}: `}[${calls.join(", ")}]`]);
    const fail = [...lists].map(([node, all]) => `        ${quoted(node)}: ${all[0].startsWith("[") ? all[0] : `{\n${all.map((one) => `            ${one},\n`).join("")}        }`},\n`).join("");
    lines.push(`run = run_graph(${main}, ${input}${more}${fail && `, fail={\n${fail}    }`})`);
  }
  if (view.origin?.node) lines.push("# the run began in the middle: see how", `run = run.restart(${quoted(view.origin.node)}, ${python(view.state_at_start)})`);
  return lines;
}

/** The answers in their order, and as much time between them as deadlines, sleeps and retries need. */
function moved(view, runs) {
  const lines = [];
  let clock = parse(view.started_at);
  const timers = runs.flatMap((run) => run.history.steps.flatMap((step, index, all) => endsOfTimers(step, all[index + 1])));
  const pass = (until) => {
    if (!timers.some((time) => time > clock && time <= until)) return;
    lines.push(`run.advance(timedelta(seconds=${((until - clock) / 1000 + 0.001).toFixed(3)}))`);
    clock = until;
  };
  const events = runs.flatMap((run) => run.history.events.filter((event) => event.outcome === "applied"));
  for (const event of events.sort((one, other) => parse(one.at) - parse(other.at))) {
    pass(parse(event.at));
    lines.push(`run.send(${quoted(event.event)}, ${python(event.payload)})`);
  }
  pass(Math.max(clock, ...timers));
  return lines;
}

/** When the run went on because time had passed. */
function endsOfTimers(step, next) {
  const found = (step.failures ?? []).map((_, index, all) => all[index + 1]?.at ?? step.finished_at);
  if (step.wait?.outcome === "timed out") found.push(step.wait.until);
  if (step.sleeps_until && next) found.push(next.started_at);
  if (step.kind === "wait" || step.item_failures) found.push(step.finished_at);
  return found.map(parse).filter((time) => !Number.isNaN(time));
}

function asserted(view, history) {
  const status = ["pending", "running"].includes(view.status) ? [] : [`assert run.status == ${quoted(view.status)}`];
  const lines = ["", ...(view.status === "cancelled" || view.status === "suspended" ? [] : status)];
  if (!history.steps_not_shown && !view.origin?.node) lines.push(`assert run.path == ${python(history.steps.map((step) => step.node))}`);
  if (view.error) lines.push("assert run.error is not None", `assert run.error["type"] == ${quoted(view.error.type)}`);
  return lines.length > 1 ? lines : ["", "assert run.status"];
}
