// Hands on keys: what a key does is decided here, in the browser, so that it is seen at once however far away the server is.
//
// The page marks what can be reached, and this file knows nothing else of it:
//   data-row="id"      a row of a list; j and k move over them, x marks one, Enter opens its first link
//   data-key="e"       a control that this key presses
//   data-go="i"        a link that `g i` follows
//   data-act="name"    a control that acts on the rows that are marked, else on the row under the cursor, else on data-id
import { useEffect, useRef } from "react";

const TYPING = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable=true]";
const PENDING_AT_MOST = 8000;

const rows = () => [...document.querySelectorAll("main [data-row]")];
const marked = () => rows().filter((row) => row.querySelector("[data-mark]")?.checked);
const cursor = () => document.querySelector("main [data-row][data-cursor]");

function place(row) {
  for (const other of document.querySelectorAll("main [data-cursor]")) other.removeAttribute("data-cursor");
  if (!row) return;
  row.setAttribute("data-cursor", "");
  row.scrollIntoView({ block: "nearest" });
  (row.querySelector("a[href]") ?? row).focus({ preventScroll: true });
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const now = all.indexOf(cursor());
  place(all[now < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + step))]);
  return true;
}

function mark(row) {
  const box = row?.querySelector("[data-mark]");
  if (!box) return false;
  box.checked = !box.checked;
  count();
  return true;
}

// How many rows are marked, where the page says it; the bar of acts on many is shown by it.
function count() {
  const many = marked().length;
  for (const bar of document.querySelectorAll("[data-marked]")) {
    bar.setAttribute("data-marked", String(many));
    bar.hidden = many === 0;
    const said = bar.querySelector("[data-many]");
    if (said) said.textContent = String(many);
  }
}

function targets(control) {
  const own = control.closest("[data-row]");
  if (own && !control.closest("[data-marked]")) return [own.dataset.row];
  const many = marked().map((row) => row.dataset.row);
  if (many.length) return many;
  const one = cursor()?.dataset.row ?? control.dataset.id;
  return one ? [one] : [];
}

const things = (id) => document.querySelectorAll(`[data-row="${CSS.escape(id)}"], [data-thing="${CSS.escape(id)}"]`);

const waiting = []; // acts that the server has yet to answer, in their order: of each, the ids that it is about

function show(act, ids) {
  waiting.push(ids);
  for (const id of ids) for (const thing of things(id)) thing.setAttribute("data-pending", act);
}

// So many acts were answered: what they are about is shown as it is, and marked no more. What was marked meanwhile stays marked.
function settle(answers = waiting.length) {
  const answered = new Set(waiting.splice(0, answers).flat());
  const still = new Set(waiting.flat());
  for (const id of answered) {
    for (const thing of things(id)) {
      if (!still.has(id)) thing.removeAttribute("data-pending");
      const box = thing.querySelector("[data-mark]");
      if (box) box.checked = false;
    }
  }
  count();
}

// What can be seen; and what acts on marked rows is pressed for the row under the cursor too, though its bar is hidden.
function press(selector) {
  const all = [...document.querySelectorAll(selector)].filter((one) => !one.disabled);
  const found = all.find((one) => one.offsetParent !== null) ?? (cursor() ? all.find((one) => one.closest("[data-marked]")) : undefined);
  found?.click();
  return Boolean(found);
}

// An open menu closes when somebody presses elsewhere, or what in it leads elsewhere, opens a dialog or acts. Says whether there was one.
function shut(pressed) {
  const open = [...document.querySelectorAll("details.facet[open]")].filter((menu) => !menu.contains(pressed ?? null) || pressed.closest("a[href], [command], [data-act]"));
  for (const menu of open) menu.open = false;
  return open.length > 0;
}

let acting = null; // what the open page does when something acts

// What acts on the page that is open; keys and clicks lead here. `settled` changes when the server has answered an act, whatever it answered.
export function Hands({ settled, onAct }) {
  const now = useRef(onAct);
  now.current = onAct;
  const known = useRef(settled);
  useEffect(() => {
    // Fewer than before: the server has begun anew, and answers nothing of before.
    if (settled !== known.current) settle(settled > known.current ? settled - known.current : undefined);
    known.current = settled;
  }, [settled]);
  useEffect(() => {
    const mine = (act, ids) => now.current?.(act, ids);
    acting = mine;
    return () => {
      if (acting === mine) acting = null;
      settle();
    };
  }, []);
  return null;
}

// When g was pressed, by the keyboard's clock: a busy page hears of a key late. It outlives the page, which may change before the next key.
let went = -Infinity;

// The keys and clicks of every page; it stands in its frame, once.
export function Keys() {
  useEffect(() => {
    let timer = 0;
    function keys(event) {
      if (event.defaultPrevented || event.altKey) return;
      const key = event.key;
      if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k") {
        event.preventDefault();
        document.dispatchEvent(new CustomEvent("palette"));
        return;
      }
      if ((event.ctrlKey || event.metaKey) && key === "Enter" && event.target.matches?.("[data-comment]")) {
        event.preventDefault();
        event.target.form.requestSubmit();
        return;
      }
      if (event.ctrlKey || event.metaKey) return;
      // Who has just sent a comment may be about to write on: words must not become acts.
      if (event.target instanceof Element && event.target.closest("form")?.querySelector("[data-comment]") && key !== "Escape") return;
      const typing = event.target instanceof Element && event.target.matches(TYPING);
      if (key === "Escape") {
        if (typing) event.target.blur();
        else if (!shut()) place(null);
        return;
      }
      if (typing || document.querySelector("dialog[open]")) return;
      if (event.timeStamp - went < 2000 && /^[a-z,]$/.test(key)) {
        went = -Infinity;
        if (press(`[data-go="${key}"]`)) event.preventDefault();
        return;
      }
      if (key === "g") {
        went = event.timeStamp;
        return;
      }
      const done =
        key === "j" ? move(1)
        : key === "k" ? move(-1)
        : key === "x" ? mark(cursor())
        : key === "Enter" && event.target.closest?.("a, button, summary") === null ? press("main [data-cursor] a[href]")
        : key === "/" ? focus("main [role=search] input")
        : key === "c" ? focus("[data-comment]")
        : key === "?" ? open("keys")
        : /^[a-z]$/.test(key) ? press(`[data-key="${key}"]`)
        : false;
      if (done) event.preventDefault();
    }
    function clicks(event) {
      if (!(event.target instanceof Element)) return;
      shut(event.target);
      if (event.target.closest(".skip")) return document.getElementById("content")?.focus(); // the router takes the link, and leaves the focus
      if (event.target.closest("[data-palette]")) return document.dispatchEvent(new CustomEvent("palette"));
      if (event.target.matches("[data-mark]")) return count();
      if (event.target.matches("[data-mark-all]")) {
        for (const row of rows()) {
          const box = row.querySelector("[data-mark]");
          if (box) box.checked = event.target.checked;
        }
        return count();
      }
      const control = event.target.closest("[data-act]");
      const ids = control ? targets(control) : [];
      if (!ids.length || control.disabled || !acting) return;
      control.closest("dialog")?.close();
      control.closest("[popover]")?.hidePopover?.();
      show(control.dataset.act, ids);
      clearTimeout(timer);
      timer = setTimeout(() => settle(), PENDING_AT_MOST);
      acting(control.dataset.act, ids);
    }
    document.addEventListener("keydown", keys);
    document.addEventListener("click", clicks);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("keydown", keys);
      document.removeEventListener("click", clicks);
    };
  }, []);
  return null;
}

function focus(selector) {
  const found = document.querySelector(selector);
  found?.focus();
  found?.scrollIntoView({ block: "nearest" });
  return Boolean(found);
}

function open(id) {
  const dialog = document.getElementById(id);
  dialog?.showModal?.();
  return Boolean(dialog);
}

// Whether somebody reads the list: then new rows wait, so that nothing moves under their eyes.
export function Reading({ onReading }) {
  const telling = useRef(onReading);
  telling.current = onReading;
  useEffect(() => {
    let was = false;
    function look() {
      const is = window.scrollY > 120 || cursor() !== null || marked().length > 0 || document.querySelector("main [data-row]:hover") !== null;
      document.documentElement.dataset.reading = String(is);
      if (is === was) return;
      was = is;
      telling.current?.(is);
    }
    // Who asks for the rows that wait sees them, and reads on: the server takes it for the end of reading.
    function shown(event) {
      if (!event.target.closest?.(".pill")) return;
      window.scrollTo({ top: 0 });
      was = false;
      document.documentElement.dataset.reading = "false";
    }
    const timer = setInterval(look, 300);
    document.addEventListener("click", shown);
    return () => {
      clearInterval(timer);
      delete document.documentElement.dataset.reading;
      document.removeEventListener("click", shown);
    };
  }, []);
  return null;
}

// The address says which filters are set, so that it can be kept and sent to others.
export function Address({ query }) {
  const opened = useRef(true);
  useEffect(() => {
    if (opened.current) {
      opened.current = false; // the page was just opened: the server has yet to read what the address says
      return;
    }
    const wanted = window.location.pathname + (query ? `?${query}` : "") + window.location.hash;
    if (wanted !== window.location.pathname + window.location.search + window.location.hash) window.history.replaceState(window.history.state, "", wanted);
  }, [query]);
  return null;
}

// A list that grows at its end is shown at its end, until somebody scrolls up to read.
export function Following({ of, count }) {
  const near = useRef(true);
  useEffect(() => {
    const list = document.getElementById(of);
    if (!list) return undefined;
    const look = () => {
      near.current = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
    };
    list.addEventListener("scroll", look, { passive: true });
    return () => list.removeEventListener("scroll", look);
  }, [of]);
  useEffect(() => {
    const list = document.getElementById(of);
    if (list && near.current) list.scrollTop = list.scrollHeight;
  }, [of, count]);
  return null;
}
