// Somebody at the household's page, for tests: fetches /my and its script from a running server, runs the script, and does
// what a person does. A command a line on standard input, as JSON; an answer a line on standard output: {"shown": text} once
// nothing is under way any more, or {"fault": why} where the page failed or a person could not do that. Standard input ends it.
//
//   node tests/page/run.mjs URL
//   ["open"]                 opens the page, or loads it anew in the same tab
//   ["fill", LABEL, TEXT]    types into the field that is shown under words which begin so
//   ["tick", LABEL]          ticks or chooses what is shown beside such words
//   ["press", LABEL]         presses the button that is shown with such words; its form is sent as a browser sends it
//   ["line", true|false]     whether anything reaches the server
//
// Needs Node 18 or later and no package. Looks and layout are not tried: dom.mjs is no browser. Must not know a story.
import { createInterface } from "node:readline";
import vm from "node:vm";

import { browser, parse } from "./dom.mjs";

const [url] = process.argv.slice(2);
const kept = new Map();
const faults = [];
const underWay = new Set();
const timers = new Map();
let page = null;
let hasLine = true;
let leaves = false;

process.on("unhandledRejection", (fault) => faults.push(fault));

/** What the page gets for `fetch`: the answer whole, so that nothing is under way once it is there. */
function fetchForPage(path, options) {
  const exchange = async () => {
    if (!hasLine) throw new TypeError("no line");
    const response = await fetch(new URL(path, url), options);
    const text = await response.text();
    return { ok: response.ok, text: async () => text, json: async () => JSON.parse(text) };
  };
  const done = exchange();
  underWay.add(done);
  const forget = () => underWay.delete(done);
  done.then(forget, forget);
  return done;
}

const outside = {
  fetch: fetchForPage,
  setTimeout: (run) => { const id = Symbol("timer"); timers.set(id, run); return id; },
  clearTimeout: (id) => timers.delete(id),
  reload: () => { leaves = true; },
};

/** Waits until the page waits for nothing but the person. A pause of the page's own is over at once. */
async function settle() {
  do {
    await Promise.allSettled(underWay);
    const due = [...timers.values()];
    timers.clear();
    due.forEach((run) => run());
    await new Promise((next) => setImmediate(next));
  } while (underWay.size || timers.size);
  if (faults.length) throw faults.shift();
  if (leaves) await open();
}

async function served(path) {
  const response = await fetch(new URL(path, url));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.text();
}

async function open() {
  leaves = false;
  timers.clear();
  page = parse(await served("/my"));
  const context = vm.createContext(browser(page, kept, outside));
  for (const { attributes: { src } } of page.all().filter((node) => node.tag === "script")) {
    vm.runInContext(await served(src), context, { filename: src });
  }
  await settle();
}

const inOneLine = (text) => text.replace(/\s+/g, " ").trim();
const oneLine = (node) => inOneLine(node.text());

/** The one of these that is shown with words which begin so. */
function shown(tags, words, fits) {
  const nodes = page.all().filter((node) => tags.includes(node.tag) && node.isShown());
  const found = nodes.filter((node) => oneLine(node).startsWith(words) && fits(node));
  if (found.length !== 1) throw new Error(`${found.length} of ${tags} are shown with ${words}`);
  return found[0];
}

/** The control of a label, which a person can reach. */
function control(words, isTick) {
  const [field] = shown(["label"], words, (label) => label.controls().some((of) => of.isTick() === isTick)).controls();
  if (field.disabled || !field.isShown()) throw new Error(`${words} takes nothing`);
  return field;
}

const hands = {
  open,
  fill(words, text) {
    const field = control(words, false);
    if (text.length > Number(field.attributes.maxlength ?? Infinity)) throw new Error(`${words} takes less`);
    field.value = text;
    field.dispatch("input");
  },
  tick(words) {
    const field = control(words, true);
    const others = page.all().filter((other) => field.type === "radio" && other.name === field.name);
    others.forEach((other) => { other.checked = false; });
    field.checked = true;
  },
  press(words) {
    const button = shown(["button"], words, () => true);
    if (button.disabled) throw new Error(`${words} is disabled`);
    if (button.dispatch("click")) return;
    let form = button.parent;
    while (form && form.tag !== "form") form = form.parent;
    if (!form) return;
    const lacking = form.controls().filter((field) => "required" in field.attributes && !field.value);
    if (lacking.length) throw new Error(`a browser asks for ${lacking[0].name} first`);
    if (!form.dispatch("submit")) throw new Error(`${form.id} would leave the page`);
  },
  line(there) { hasLine = there; },
};

/** All that is shown, a line for every block. */
const visible = () => (page ? page.text() : "").split("\n").map(inOneLine).filter(Boolean).join("\n");

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const [verb, ...how] = JSON.parse(line);
    await hands[verb](...how);
    await settle();
    answer = { shown: visible() };
  } catch (fault) {
    answer = { fault: String((fault && fault.stack) || fault) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
