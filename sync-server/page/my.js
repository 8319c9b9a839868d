// What a household sees and does on its own page. All words for codes come from /my/words.json; nothing is kept but the
// session, and that only until the browser's tab is closed.
"use strict";

const $ = (id) => document.getElementById(id);
/** By list and code: Chinese and English, in the order of the list. */
const words = new Map();

const session = {
  get() { return JSON.parse(sessionStorage.getItem("session") || "null"); },
  set(value) { sessionStorage.setItem("session", JSON.stringify(value)); },
  clear() { sessionStorage.removeItem("session"); },
};

/** Chinese first, English second; the code itself where no list knows it. */
function label(list, code) {
  const known = (words.get(list) || new Map()).get(code);
  const span = document.createElement("span");
  span.append(known ? known[0] : code);
  if (known) {
    const small = document.createElement("small");
    small.textContent = " " + known[1];
    span.append(small);
  }
  return span;
}

/** The telephone that was sent a code: a browser may drop the page while its owner reads the message. */
const asked = {
  get() { return sessionStorage.getItem("telephone") || ""; },
  set(telephone) { sessionStorage.setItem("telephone", telephone); },
};

function tell(list, code, bad) {
  const notice = $("notice");
  fill(notice, [label(list, code)]);
  notice.className = bad ? "bad" : "";
  notice.hidden = false;
  notice.scrollIntoView({ block: "nearest" });
}

/** An answer, or null after saying what went wrong. */
async function ask(method, path, body) {
  $("notice").hidden = true;
  const headers = { "Content-Type": "application/json" };
  const open = session.get();
  if (open) headers.Authorization = "Bearer " + open.token;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch (error) {
    tell("visitor", "offline", true);
    return null;
  }
  const text = await response.text();
  let answer = {};
  let foreign = false;
  try { answer = text ? JSON.parse(text) : {}; } catch (error) { foreign = true; }
  if (response.ok && !foreign) return answer;
  // A gateway in between answers in its own way.
  const code = words.get("visitor").has(answer.code) ? answer.code : "internal";
  const [detail] = answer.details || [];
  if (code === "session_unknown") { session.clear(); show(); }
  if (code === "not_possible_now" && words.get("lack").has(detail)) tell("lack", detail, true);
  else if (code === "invalid_input" && words.get("visitor").has(detail)) tell("visitor", detail, true);
  else tell("visitor", code, true);
  return null;
}

/** Puts these in place of what is there. */
function fill(node, children) {
  node.textContent = "";
  children.forEach((child) => node.append(child));
}

/** Runs on submit, once at a time. */
function onSubmit(form, work) {
  $(form).addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.target.querySelector("button");
    button.disabled = true;
    try { await work(new FormData(event.target), event.target); } finally { button.disabled = false; }
  });
}

function list(id, items) {
  const empty = document.createElement("li");
  empty.className = "hint";
  empty.textContent = "暂无 · nothing yet";
  fill($(id), items.length ? items : [empty]);
}

function item(...parts) {
  const li = document.createElement("li");
  parts.filter(Boolean).forEach((part, at) => li.append(at ? " " : "", part));
  return li;
}

const yuan = (fen) => (fen / 100).toLocaleString("zh-CN", { minimumFractionDigits: fen % 100 ? 2 : 0 }) + " 元";

function measure(row) {
  const sum = row.amount_fen === null ? "" : yuan(row.amount_fen);
  const area = row.area_centimu === null ? "" : row.area_centimu / 100 + " 亩";
  const days = [row.from, row.to].filter(Boolean).join(" – ");
  const li = item(row.title || label("measure_kind", row.kind), row.title && label("measure_kind", row.kind),
    label("measure_status", row.status), sum, row.period && label("period", row.period),
    row.asset && label("asset", row.asset), area, days);
  if (row.confirmed) {
    li.append(" ✓ 已确认");
  } else if (row.status === "under_way" || row.status === "done") {
    const button = document.createElement("button");
    button.className = "plain";
    button.textContent = "确认已收到 · I have received it";
    button.addEventListener("click", async () => {
      button.disabled = true;
      if (await ask("POST", "/v1/household/confirmations", { measure: row.row })) await load();
      button.disabled = false;
    });
    li.append(document.createElement("br"), button);
  }
  return li;
}

async function load() {
  const record = await ask("GET", "/v1/household/record");
  if (!record) return;
  $("head").textContent = record.head_name + " · " + record.people + " 人";
  $("place").textContent = record.place.join(" ");
  list("case", record.case.map((passed) => item(label("case_state", passed.stage), passed.on, passed.reason)));
  $("objection-form").hidden = !record.may_object;
  $("sum").textContent = record.year + " 年合计 total: " + yuan(record.year_fen);
  $("sum").className = "money";
  list("measures", record.measures.map(measure));
  list("cadres", record.cadres.map((cadre) => item(cadre.name, cadre.unit)));
  list("clues", record.clues.map((clue) => item(clue.received_on, label("risk", clue.risk),
    label("channel", clue.channel), clue.outcome && label("clue_outcome", clue.outcome))));
  $("record").hidden = false;
}

function show() {
  const open = session.get();
  $("sign-in").hidden = Boolean(open);
  $("session-form").hidden = Boolean(open) || !asked.get();
  $("code-form").elements.telephone.value = asked.get();
  $("sign-out").hidden = !open;
  $("declare").hidden = !open;
  $("record").hidden = true;
  $("village-field").hidden = !open || open.on_record;
  if (open && open.on_record) load();
}

onSubmit("code-form", async (form) => {
  const telephone = form.get("telephone");
  if (await ask("POST", "/v1/household/codes", { telephone })) {
    asked.set(telephone);
    $("session-form").hidden = false;
    $("session-form").elements.code.focus();
  }
});

onSubmit("session-form", async (form, element) => {
  const [code, name, identity_number] = ["code", "name", "identity_number"].map((field) => form.get(field).trim());
  const opened = await ask("POST", "/v1/household/sessions", { telephone: asked.get(), code, name, identity_number });
  if (!opened) return;
  session.set({ token: opened.token, on_record: opened.on_record });
  element.reset();
  element.hidden = true;
  show();
});

onSubmit("declaration-form", async (form, element) => {
  const body = { risks: form.getAll("risk"), note: form.get("note"), consents: form.get("consents") === "on" };
  if (form.get("village")) body.village = Number(form.get("village"));
  const declared = await ask("POST", "/v1/household/declarations", body);
  if (!declared) return;
  element.reset();
  if (session.get().on_record) await load();
  tell("visitor", declared.outcome, false);
});

onSubmit("objection-form", async (form, element) => {
  const objected = await ask("POST", "/v1/household/objections", { reason: form.get("reason") });
  if (!objected) return;
  element.reset();
  await load();
  tell("visitor", objected.outcome, false);
});

$("sign-out").addEventListener("click", async () => {
  await ask("DELETE", "/v1/household/sessions");
  // Whoever takes the telephone next finds nothing: no record, no half-filled form.
  sessionStorage.clear();
  document.querySelectorAll("form").forEach((form) => form.reset());
  location.reload();
});

let pause;
$("village-search").addEventListener("input", (event) => {
  clearTimeout(pause);
  pause = setTimeout(async () => {
    const found = await ask("GET", "/v1/villages?search=" + encodeURIComponent(event.target.value));
    const line = (village) => choice("radio", "village", village.code, village.path.slice(-3).join(" "));
    fill($("villages"), (found || []).map(line));
  }, 300);
});

function choice(type, name, value, text) {
  const line = document.createElement("label");
  line.className = "tick";
  const input = document.createElement("input");
  Object.assign(input, { type, name, value });
  line.append(input, text);
  return line;
}

(async () => {
  let lists = {};
  try {
    lists = await (await fetch("/my/words.json")).json();
  } catch (error) {
    words.set("visitor", new Map([["offline", ["没有网络,请稍后再试", "no network; try again later"]]]));
    tell("visitor", "offline", true);
    return;
  }
  for (const [list, codes] of Object.entries(lists)) {
    words.set(list, new Map(codes.map(([code, zh, en]) => [code, [zh, en]])));
  }
  fill($("risks"), Array.from(words.get("risk").keys(), (code) => choice("checkbox", "risk", code, label("risk", code))));
  show();
  $("waiting").remove();
})();
