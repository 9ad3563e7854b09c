// The boxes and arrows of a graph, as the app draws them, and which of them a run has passed. Pure: no picture, no layout.
//
// Boxes: a node by its name; `start:`, and per node `open:`, `end:`, `join:` and `wait:`. Names of nodes have no colon.

const START = "start:";

/**
 * `{boxes: Map(id -> box), arrows: [{id, from, to, kind, label}]}`. Kinds: static, route, error, wait, late. `met` are
 * waits that the code does not show, but a run has met: each `{node, events: {name: where it leads}}`.
 */
export function diagram(drawing, met = []) {
  const boxes = new Map(drawing.boxes.map((box) => [box.id, box]));
  const arrows = new Map();
  const put = (from, to, kind, label = "") => arrows.set(`${from}→${to}→${kind}`, { id: `${from}→${to}→${kind}`, from, to, kind, label });
  for (const { from, to, kind, label } of drawing.arrows) put(from, to, kind, label);
  met.forEach(({ node, events }, index) => {
    const id = `wait:${node}:met:${index}`;
    const names = Object.keys(events);
    boxes.set(id, { id, kind: "event", title: names.join(" or "), waits: node, events: names });
    put(node, id, "route");
    for (const event of names) {
      put(id, events[event], "wait", names.length > 1 ? event : "");
      arrows.delete(`${node}→${events[event]}→route`);
    }
  });
  return { boxes, arrows: [...arrows.values()] };
}

const spelt = (names) => [...names].sort().join();

/** Waits that the drawing does not show, but a run has met: from its steps, and from what it asks for now. */
export function waitsMet(drawing, steps, open) {
  const known = new Set(drawing.boxes.filter((box) => box.events).map((box) => `${box.waits} ${spelt(box.events)}`));
  const found = [];
  const own = open.filter((wait) => !wait.run);
  steps.forEach((step, index) => {
    const id = step.wait && `${step.node} ${spelt(step.wait.events)}`;
    if (!step.wait || known.has(id)) return;
    const next = steps[index + 1]?.node;
    const asked = step.wait.events.map((event) => [event, own.find((wait) => wait.event === event)?.resume_node ?? next]);
    if (!asked.every(([, node]) => node)) return;
    known.add(id);
    found.push({ node: step.node, events: Object.fromEntries(asked) });
  });
  return found;
}

/**
 * What a run has passed: `{boxes: Map(id -> {state, visits, attempts}), arrows: Set(id)}`. States: done, failed, now
 * and, where it waits, open. `parts` are the runs of its branches, each `{run, steps}`.
 */
export function passed({ boxes, arrows }, steps, run, parts = []) {
  const lit = { boxes: new Map(), arrows: new Set() };
  const light = (id, state, more = {}) => {
    const old = lit.boxes.get(id) ?? { visits: 0 };
    if (boxes.has(id)) lit.boxes.set(id, { ...old, ...more, state, visits: old.visits + 1 });
  };
  const drawn = { boxes, arrows, lit, light };
  const main = steps.filter((step) => !step.branch);
  if (main.length) light(START, "done");
  if (main[0]?.step === 0) follow(arrows, lit, START, main[0].node);
  const all = [...parts.flatMap((part) => part.steps), ...steps];
  for (const step of all.filter((one) => one.branch && !one.child)) {
    light(step.node, step.error ? "failed" : "done", { attempts: step.attempts });
  }
  for (const part of parts) trace(drawn, part.steps.filter((step) => !step.branch), part.run);
  trace(drawn, main, run);
  const asking = [...lit.boxes.values()].some((box) => box.state === "open");
  if (!run.over && run.node && !asking) {
    const state = run.status === "waiting" ? "open" : "now";
    lit.boxes.set(run.node, { visits: 0, ...lit.boxes.get(run.node), state });
  }
  return lit;
}

/** Light one run's steps, and the ways between them. */
function trace({ boxes, arrows, lit, light }, main, run) {
  const along = (...ids) => ids.forEach((to, index) => index && follow(arrows, lit, ids[index - 1], to));
  main.forEach((step, index) => {
    const last = index === main.length - 1;
    light(step.node, step.error ? "failed" : "done", { attempts: step.attempts });
    const join = `join:${step.node}`;
    const from = boxes.has(join) ? join : step.node;
    if (boxes.has(join)) lightBranches(arrows, lit, step.node, join, light);
    const next = main[index + 1]?.node ?? (run.node !== step.node && !run.over ? run.node : undefined);
    const wait = waitOf(boxes, step);
    if (wait) {
      const open = step.wait?.outcome === "open";
      light(wait, open || (run.sleeping && last) ? "open" : "done");
      along(from, wait);
      if (next && !open) along(wait, next);
    } else if (next) along(from, next);
    else if (run.status === "completed") {
      const end = run.join ?? `end:${step.node}`;
      light(end, "done");
      along(from, end);
    }
  });
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
  const names = step.wait ? spelt(step.wait.events) : null;
  for (const box of boxes.values()) {
    if (box.waits !== step.node) continue;
    if (names !== null && box.events && spelt(box.events) === names) return box.id;
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
