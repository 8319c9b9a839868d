// What the household's page (sync-server/page/my.js) uses of a browser, and no more: a document read from the page's own
// HTML, elements, forms, a session, a line to the server. Whatever else the script asks for throws, so that a misspelt name
// fails here as it would on a phone. Must not know the page.

/** An object that has what it has: any other name throws. */
function strict(object, what) {
  const known = (name) => {
    if (typeof name === "symbol" || name in object) return;
    throw new TypeError(`${what} has no ${name} in the stand-in of tests/page/dom.mjs`);
  };
  return new Proxy(object, {
    get: (_, name, self) => { known(name); return Reflect.get(object, name, self); },
    set: (_, name, value, self) => { known(name); return Reflect.set(object, name, value, self); },
  });
}

const CONTROLS = ["input", "textarea"];
const OF_TICKS = ["checkbox", "radio"];
const IN_A_LINE = ["span", "small", "#text"];

class Element {
  constructor(tag, attributes = {}) {
    Object.assign(this, { tag, attributes, children: [], parent: null, listeners: [], data: "" });
    Object.assign(this, { id: "", name: "", type: "", value: "", className: "", checked: false, disabled: false });
    this.hidden = "hidden" in attributes;
    for (const name of ["id", "name", "type", "value"]) this[name] = attributes[name] || "";
    return strict(this, `<${tag}>`);
  }

  append(...parts) {
    for (const part of parts) {
      const child = part instanceof Element ? part : textNode(part);
      child.remove();
      child.parent = this;
      this.children.push(child);
    }
  }
  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
    this.parent = null;
  }
  get textContent() { return this.data + this.children.map((child) => child.textContent).join(""); }
  set textContent(text) {
    [...this.children].forEach((child) => child.remove());
    if (text !== "") this.append(text);
  }
  addEventListener(kind, run) { this.listeners.push([kind, run]); }
  querySelector(tag) { return this.all().find((node) => node.tag === tag) || null; }
  get elements() {
    const named = this.controls().filter((control) => control.name);
    return strict(Object.fromEntries(named.map((control) => [control.name, control])), "the form");
  }
  reset() {
    for (const control of this.controls()) {
      if (control.isTick()) control.checked = false;
      else control.value = control.attributes.value || "";
    }
  }
  focus() { if (!this.isShown()) throw new Error(`<${this.tag}> is focused and not shown`); }
  scrollIntoView() { this.focus(); }

  // What follows is for whoever sits before the page; its script must not use it.

  /** Everything inside, in order. */
  all() { return this.children.flatMap((child) => [child, ...child.all()]); }
  controls() { return this.all().filter((node) => CONTROLS.includes(node.tag)); }
  isTick() { return OF_TICKS.includes(this.type); }
  isShown() {
    if (this.tag === "#document") return true;
    return !this.hidden && Boolean(this.parent) && this.parent.isShown();
  }
  /** The text that is shown, a line for every block. */
  text() {
    if (this.hidden || ["head", "script"].includes(this.tag)) return "";
    const inner = this.data + this.children.map((child) => child.text()).join("");
    return IN_A_LINE.includes(this.tag) ? inner : `\n${inner}\n`;
  }
  /** Tells the listeners. Whether one of them has prevented what a browser would do by itself. */
  dispatch(kind) {
    let prevented = false;
    const event = strict({ target: this, preventDefault() { prevented = true; } }, "the event");
    this.listeners.filter(([of]) => of === kind).forEach(([, run]) => run(event));
    return prevented;
  }
}

function textNode(text) {
  const node = new Element("#text");
  node.data = String(text);
  return node;
}

/** The document of a page that is well-formed but for elements without an end. */
export function parse(html) {
  const document = new Element("#document");
  const tokens = /<!doctype[^>]*>|<(\/?)([a-z0-9]+)([^>]*)>|([^<]+)/g;
  let open = document;
  for (const [, end, tag, rest, text] of html.matchAll(tokens)) {
    if (text !== undefined) {
      open.append(text.replace(/\s+/g, " "));
    } else if (end) {
      if (open.tag !== tag) throw new Error(`</${tag}> ends <${open.tag}>`);
      open = open.parent;
    } else if (tag) {
      const attributes = {};
      for (const [, name, value] of rest.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)) attributes[name] = value ?? "";
      const element = new Element(tag, attributes);
      open.append(element);
      if (!["meta", "link", "input", "br"].includes(tag)) open = element;
    }
  }
  if (open !== document) throw new Error(`<${open.tag}> does not end`);
  return document;
}

class FormData {
  constructor(form) {
    const sent = form.controls().filter((control) => control.name && (!control.isTick() || control.checked));
    this.entries = sent.map((control) => [control.name, control.value || (control.isTick() ? "on" : "")]);
    return strict(this, "FormData");
  }
  getAll(name) { return this.entries.filter(([of]) => of === name).map(([, value]) => value); }
  get(name) { return this.getAll(name)[0] ?? null; }
}

/** The names that a script finds in a browser: the page, what its tab keeps, and what reaches outside it. */
export function browser(page, kept, { fetch, setTimeout, clearTimeout, reload }) {
  const sessionStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => { kept.set(key, String(value)); },
    removeItem: (key) => { kept.delete(key); },
    clear: () => { kept.clear(); },
  };
  const document = {
    getElementById: (id) => page.all().find((node) => node.id === id) || null,
    createElement: (tag) => new Element(tag),
    querySelectorAll: (tag) => page.all().filter((node) => node.tag === tag),
  };
  return {
    document: strict(document, "document"),
    sessionStorage: strict(sessionStorage, "sessionStorage"),
    location: strict({ reload }, "location"),
    fetch, FormData, setTimeout, clearTimeout,
  };
}
