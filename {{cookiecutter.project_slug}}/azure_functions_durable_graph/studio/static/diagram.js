// A manifest as boxes and arrows, and which of them a run has passed. Pure: no picture, no layout.
//
// Boxes: a node by its name; `start`, `open:`, and per node `end:`, `join:` and `wait:`. Names of nodes have no colon.

const START = "start";

/** `{boxes: Map(id -> box), arrows: [{id, from, to, kind, label}]}`. Kinds: static, route, error, wait, late. */
export function diagram(manifest, waits = []) {
  const boxes = new Map();
  const arrows = new Map();
  const box = (id, kind, more) => boxes.has(id) || boxes.set(id, { id, kind, ...more });
  const arrow = (from, to, kind, label = "") => {
    const id = `${from}→${to}→${kind}`;
    const known = arrows.get(id);
    if (!known) arrows.set(id, { id, from, to, kind, label });
    else if (label && !known.label.split(", ").includes(label)) known.label += `, ${label}`;
  };
  const graph = { nodes: manifest.nodes, regions: regionsOf(manifest.nodes), box, arrow };
  box(START, "start", { title: "start" });
  arrow(START, manifest.entrypoint, "static");
  for (const name of inOrder(manifest)) {
    const node = manifest.nodes[name];
    box(name, node.kind ?? "task", { node: name, title: name, note: note(node) });
    const mine = waits.filter((wait) => wait.node === name);
    mine.forEach((wait, index) => drawWait(graph, name, wait, index));
    drawOnward(graph, name, node, mine);
  }
  drawOpenEnds(boxes, arrows, arrow);
  return { boxes, arrows: [...arrows.values()] };
}

/** Where a route is open, it may lead to what nothing else leads to. */
function drawOpenEnds(boxes, arrows, arrow) {
  const open = [...boxes.values()].find((box) => box.kind === "open");
  const reached = new Set([...arrows.values()].map(({ to }) => to));
  for (const { id, node } of boxes.values()) if (open && node && !reached.has(id)) arrow(open.id, id, "late");
}

/** The nodes inside of branches: the join of the innermost parallel, and what follows it, where a branch ends. */
function regionsOf(nodes) {
  const found = new Map();
  for (const [parallel, { branches = [], next }] of Object.entries(nodes)) {
    for (const branch of branches) {
      const region = new Set([branch]);
      for (const name of region) for (const to of onward(nodes[name])) if (to !== next && to in nodes) region.add(to);
      for (const name of region) {
        if (!(found.get(name)?.size <= region.size)) found.set(name, { join: `join:${parallel}`, next, size: region.size });
      }
    }
  }
  return found;
}

/** Every node to which a node leads. */
function onward(node) {
  const edges = [...(node?.branches ?? []), node?.next, ...(node?.targets ?? []), ...Object.values(node?.on_error ?? {})];
  return edges.filter(Boolean);
}

/** The nodes from the entrypoint on, as a run meets them, so that the layout begins where the graph does. */
function inOrder(manifest) {
  const seen = new Set();
  const queue = [manifest.entrypoint];
  while (queue.length) {
    const name = queue.shift();
    const node = manifest.nodes[name];
    if (!node || seen.has(name)) continue;
    seen.add(name);
    queue.push(...onward(node));
  }
  return [...seen, ...Object.keys(manifest.nodes).filter((name) => !seen.has(name))];
}

function drawWait({ box, arrow }, name, wait, index) {
  const id = `wait:${name}:${index}`;
  const events = Object.entries(wait.events ?? {});
  if (!events.length) {
    box(id, "sleep", { title: wait.seconds ? `sleep ${length(wait.seconds)}` : "sleep", waits: name });
    arrow(name, id, "route");
    arrow(id, wait.resume_node, "static");
    return;
  }
  const title = events.map(([event]) => event).join(" or ");
  box(id, "event", { title, waits: name, events: events.map(([event]) => event) });
  arrow(name, id, "route");
  for (const [event, to] of events) arrow(id, to, "wait", events.length > 1 ? event : "");
  if (wait.timeout_node) arrow(id, wait.timeout_node, "late", wait.timeout ? `after ${length(wait.timeout)}` : "deadline");
}

function drawOnward({ nodes, regions, box, arrow }, name, node, waits) {
  let from = name;
  for (const branch of node.branches ?? []) arrow(name, branch, "static");
  if (node.branches?.length) {
    from = `join:${name}`;
    box(from, "join", { title: `the branches of ${name} join`, joins: name });
  }
  const region = regions.get(name);
  const lead = (to, kind, label) => arrow(from, region && to === region.next ? region.join : to, kind, label);
  drawErrors(lead, node);
  const end = (kind) => {
    if (!region) box(`end:${name}`, "end", { title: "complete" });
    arrow(from, region ? region.join : `end:${name}`, kind);
  };
  const covered = new Set(waits.flatMap((wait) => [...Object.values(wait.events ?? {}), wait.timeout_node, wait.resume_node]));
  if (!node.routed) {
    if (node.next) lead(node.next, "static");
    else end("static");
    return;
  }
  for (const target of [...(node.targets ?? [])].sort()) {
    if (!covered.has(target) && target in nodes) lead(target, "route");
  }
  if (node.targets?.includes("__complete__")) end("route");
  if (node.next && !(node.targets ?? []).includes(node.next)) lead(node.next, "route", node.targets ? "" : "otherwise");
  if (!node.targets && !waits.length) {
    box(`open:${name}`, "open", { title: "decided at run time" });
    arrow(from, `open:${name}`, "route");
  }
}

/** An error edge says which error it is for, unless it is for all. */
function drawErrors(lead, node) {
  const edges = Object.entries(node.on_error ?? {});
  for (const [error, to] of edges) {
    if (!continues(node)) lead(to, "error", error !== "*" ? error : edges.length > 1 ? "other errors" : "");
  }
}

/** Whether every error leads where the node leads anyway: its box says so instead of a second arrow. */
function continues(node) {
  return !node.routed && node.on_error && node.on_error["*"] === node.next && Object.keys(node.on_error).length === 1;
}

function note(node) {
  const notes = {
    map: () => `each of ${node.over}${node.graph ? `, graph ${node.graph}` : ""}`,
    parallel: () => `${node.branches?.length ?? 0} branches at once`,
    subgraph: () => `graph ${node.graph}`,
    wait: () => `pause ${length(node.seconds ?? 0)}`,
  };
  const most = node.retry?.max_attempts ?? 1;
  const parts = [notes[node.kind]?.(), node.timeout && `at most ${length(node.timeout)}`, most > 1 && `${most} attempts`, continues(node) && "goes on after errors"];
  return parts.filter(Boolean).join(" · ");
}

export function length(seconds) {
  for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
    if (seconds >= 2 * size || seconds === size) return `${+(seconds / size).toFixed(1)} ${unit}`;
  }
  return `${+seconds.toFixed(2)} s`;
}

/** Waits that the code does not show, but a run has met: from its steps, and from what it asks for now. */
export function waitsMet(known, steps, open) {
  const found = [...known];
  const add = (node, events) => {
    const names = Object.keys(events).sort().join();
    const there = found.some((wait) => wait.node === node && Object.keys(wait.events ?? {}).sort().join() === names);
    if (!there) found.push({ node, events });
  };
  const own = open.filter((wait) => !wait.run);
  steps.forEach((step, index) => {
    if (!step.wait) return;
    const next = steps[index + 1]?.node;
    const asked = step.wait.events.map((event) => [event, own.find((wait) => wait.event === event)?.resume_node ?? next]);
    if (asked.every(([, node]) => node)) add(step.node, Object.fromEntries(asked));
  });
  return found;
}

/**
 * What a run has passed: `{boxes: Map(id -> {state, visits, attempts}), arrows: Set(id)}`. States: done, failed, now
 * and, where it waits, open.
 */
export function passed({ boxes, arrows }, steps, run) {
  const lit = { boxes: new Map(), arrows: new Set() };
  const light = (id, state, more = {}) => {
    const old = lit.boxes.get(id) ?? { visits: 0 };
    if (boxes.has(id)) lit.boxes.set(id, { ...old, ...more, state, visits: old.visits + 1 });
  };
  const along = (...ids) => ids.forEach((to, index) => index && follow(arrows, lit, ids[index - 1], to));
  const main = steps.filter((step) => !step.branch);
  if (main[0]?.step === 0) along(START, main[0].node);
  if (main.length) light(START, "done");
  for (const step of steps.filter((one) => one.branch)) {
    light(step.node, step.error ? "failed" : "done", { attempts: step.attempts });
  }
  main.forEach((step, index) => {
    light(step.node, step.error ? "failed" : "done", { attempts: step.attempts, index });
    const join = `join:${step.node}`;
    const from = boxes.has(join) ? join : step.node;
    if (boxes.has(join)) lightBranches(arrows, lit, step.node, join, light);
    const next = main[index + 1]?.node ?? (run.node !== step.node && !run.over ? run.node : undefined);
    const wait = waitOf(boxes, step);
    if (wait) {
      light(wait, step.wait?.outcome === "open" || (run.sleeping && index === main.length - 1) ? "open" : "done");
      along(from, wait);
      if (next && step.wait?.outcome !== "open") along(wait, next);
    } else if (next) along(from, next);
    else if (run.status === "completed") {
      light(`end:${step.node}`, "done");
      along(from, `end:${step.node}`);
    }
  });
  const asking = [...lit.boxes.values()].some((box) => box.state === "open");
  if (!run.over && run.node && !asking) lit.boxes.set(run.node, { visits: 0, ...lit.boxes.get(run.node), state: run.status === "waiting" ? "open" : "now" });
  return lit;
}

function lightBranches(arrows, lit, name, join, light) {
  for (const arrow of arrows) {
    if (arrow.from === name && lit.boxes.has(arrow.to)) {
      lit.arrows.add(arrow.id);
      follow(arrows, lit, arrow.to, join);
    }
  }
  light(join, "done");
}

/** The wait after a step: the one of its node with the same events, or its sleep. */
function waitOf(boxes, step) {
  const names = step.wait ? [...step.wait.events].sort().join() : null;
  for (const box of boxes.values()) {
    if (box.waits !== step.node) continue;
    if (names !== null && box.events && [...box.events].sort().join() === names) return box.id;
    if (names === null && step.sleeps_until && !box.events) return box.id;
  }
  return null;
}

function follow(arrows, lit, from, to) {
  const found = arrows.filter((arrow) => arrow.from === from && arrow.to === to);
  const failed = lit.boxes.get(from)?.state === "failed";
  const chosen = found.find((arrow) => (arrow.kind === "error") === failed) ?? found[0];
  if (chosen) lit.arrows.add(chosen.id);
}
