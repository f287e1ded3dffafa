// A condition as rows and as text. The text is the one truth: the rows read it and write it, so that it is kept as every typed text is.
import { createElement as h, useEffect, useRef, useState } from "react";

const OPS = [
  ["=", "is"], ["!=", "is not"], ["like", "is like (* ?)"], ["not like", "is not like (* ?)"], ["=~", "matches (RE2)"], ["!~", "does not match"],
  ["in", "is one of"], ["not in", "is none of"], [">=", "is at least"], [">", "is more than"], ["<=", "is at most"], ["<", "is less than"],
  ["exists", "is there"], ["missing", "is missing"],
];
const LISTED = ["in", "not in"];
const BARE = ["exists", "missing"];
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const SIMPLE_TIMES = ["days", "from", "to", "zone"];

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function kindOf(part) {
  if (!isObject(part)) return "other";
  if ("field" in part) return "comparison";
  if ("logic" in part) return "logic";
  const range = "times" in part && Array.isArray(part.times) && part.times.length === 1 ? part.times[0] : null;
  return isObject(range) && Object.keys(range).every((name) => SIMPLE_TIMES.includes(name)) ? "times" : "other";
}

// The rows of a text; null when it cannot be read.
function read(text) {
  try {
    const said = JSON.parse(text);
    if (!isObject(said)) return null;
    const mode = Array.isArray(said.any) ? "any" : "all";
    return { mode, parts: said[mode] && Array.isArray(said[mode]) ? said[mode] : [said] };
  } catch {
    return null;
  }
}

const write = (mode, parts) => JSON.stringify(parts.length === 1 ? parts[0] : { [mode]: parts }, null, 2);

function compared(part, change) {
  const value = part.value;
  const words = (said) => said.split(",").map((one) => one.trim()).filter(Boolean);
  const retype = (op) => {
    const { value: before, ...rest } = part;
    const flat = Array.isArray(before) ? before.join(", ") : before ?? "";
    return { ...rest, op, ...(BARE.includes(op) ? {} : { value: LISTED.includes(op) ? words(flat) : flat }) };
  };
  const options = OPS.map(([op, said]) => h("option", { key: op, value: op }, said));
  return [
    h("input", { key: "field", className: "input mono", list: "condition-fields", defaultValue: part.field, "aria-label": "Field", placeholder: "service or labels.job", onChange: (event) => change({ ...part, field: event.target.value }) }),
    h("select", { key: "op", className: "input", value: part.op ?? "=", "aria-label": "Comparison", onChange: (event) => change(retype(event.target.value), true) }, options),
    BARE.includes(part.op) ? h("span", { key: "value" }) : h("input", {
      key: "value",
      className: "input mono",
      defaultValue: Array.isArray(value) ? value.join(", ") : value ?? "",
      list: part.field === "severity" ? "condition-severities" : undefined,
      "aria-label": "Value",
      placeholder: LISTED.includes(part.op) ? "one, another" : "value",
      onChange: (event) => change({ ...part, value: LISTED.includes(part.op) ? words(event.target.value) : event.target.value }),
    }),
  ];
}

function timed(part, change) {
  const range = part.times[0];
  const set = (more) => change({ times: [{ ...range, ...more }] });
  const days = range.days ?? DAYS;
  const toggle = (day) => {
    const left = DAYS.filter((one) => (one === day ? !days.includes(one) : days.includes(one)));
    if (left.length) set({ days: left });
  };
  const box = (day) => h("label", { key: day, className: "day" }, h("input", { type: "checkbox", checked: days.includes(day), onChange: () => toggle(day) }), day);
  const time = (name, label) => h("input", { key: name, type: "time", className: "input", "aria-label": label, defaultValue: (range[name] ?? "00:00").slice(0, 5), onChange: (event) => set({ [name]: event.target.value || "00:00" }) });
  const zone = h("input", { key: "zone", className: "input mono", "aria-label": "Time zone", list: "zones", defaultValue: range.zone ?? "UTC", onChange: (event) => set({ zone: event.target.value }) });
  return [h("div", { key: "days", className: "days" }, DAYS.map(box)), h("div", { key: "hours", className: "hours" }, time("from", "From"), h("span", { key: "to-word" }, "to"), time("to", "To"), zone)];
}

function Logic({ part, change }) {
  const [wrong, setWrong] = useState(false);
  function type(event) {
    try {
      change({ logic: JSON.parse(event.target.value) });
      setWrong(false);
    } catch {
      setWrong(true);
    }
  }
  const text = h("textarea", { key: "text", className: "input mono", rows: 4, "aria-label": "JSON Logic", "aria-invalid": wrong, defaultValue: JSON.stringify(part.logic, null, 1), onChange: type });
  return h("div", { className: "field logic" }, text, wrong ? h("span", { className: "fault", role: "alert" }, "This is no JSON yet; what was there before still counts.") : null);
}

function row(part, at, change, remove) {
  const kind = kindOf(part);
  const inside =
    kind === "comparison" ? compared(part, change)
    : kind === "times" ? timed(part, change)
    : kind === "logic" ? [h(Logic, { key: "logic", part, change })]
    : [h("code", { key: "other", className: "mono other" }, JSON.stringify(part))];
  const away = h("button", { key: "away", type: "button", className: "button small plain", "aria-label": "Take this part away", onClick: remove }, "✕");
  return h("li", { key: at, className: `part ${kind}` }, ...inside, away);
}

// What can be added, and how it begins.
const FRESH = {
  "Compare a field": () => ({ field: "service", value: "" }),
  "Time of the week": () => ({ times: [{ days: ["sat", "sun"], zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" }] }),
  "JSON Logic": () => ({ logic: { "==": [{ var: "labels.job" }, "node"] } }),
};

// `value` is the condition as JSON when the form was drawn, `fields` what can be compared, `name` that of the text in the form.
export function Builder({ value, fields, zones, name, locked, fault }) {
  const [text, setText] = useState(value);
  const [round, setRound] = useState(0); // the rows are drawn anew when the text was written elsewhere
  const area = useRef(null);
  const first = useRef(true);
  useEffect(() => {
    setText(value);
    setRound((now) => now + 1);
  }, [value]);
  useEffect(() => {
    if (!first.current) area.current?.dispatchEvent(new Event("input", { bubbles: true })); // who watches the form hears of it
    first.current = false;
  }, [text]);
  const said = read(text);
  const put = (mode, parts, anew) => {
    setText(write(mode, parts));
    if (anew) setRound(round + 1);
  };
  const rows = said && said.parts.map((part, at) =>
    row(part, `${round}-${at}`, (now, anew) => put(said.mode, said.parts.with(at, now), anew), () => put(said.mode, said.parts.toSpliced(at, 1), true)));
  const modes = said && said.parts.length > 1 && h("select", { className: "input mode", value: said.mode, "aria-label": "How the parts go together", onChange: (event) => put(event.target.value, said.parts) },
    h("option", { value: "all" }, "all of these hold"), h("option", { value: "any" }, "any of these holds"));
  const add = (words) => h("button", { key: words, type: "button", className: "button small", disabled: !said, onClick: () => put(said.mode, [...said.parts, FRESH[words]()], true) }, `+ ${words}`);
  return h(
    "fieldset",
    { className: "builder", disabled: locked },
    h("legend", { className: "legend" }, "Holds when"),
    modes,
    said ? h("ol", { className: "parts" }, rows) : h("p", { className: "fault", role: "alert" }, "The text below is no JSON; the rows come back when it is."),
    said && !said.parts.length ? h("p", { className: "soft" }, "Every alert.") : null,
    h("div", { className: "actions" }, Object.keys(FRESH).map(add)),
    h("label", { className: "legend", htmlFor: name }, "The same as text"),
    h("textarea", {
      ref: area, id: name, name, rows: 8, value: text, spellCheck: false, className: "input mono", "aria-invalid": !said,
      onChange: (event) => {
        setText(event.target.value);
        setRound(round + 1);
      },
    }),
    fault ? h("span", { className: "fault", role: "alert" }, fault) : null,
    h("datalist", { id: "condition-fields" }, fields.map((field) => h("option", { key: field, value: field }))),
    h("datalist", { id: "condition-severities" }, ["critical", "error", "warning", "info"].map((one) => h("option", { key: one, value: one }))),
    h("datalist", { id: "zones" }, zones.map((zone) => h("option", { key: zone, value: zone }))),
  );
}

// Tells what a form says: when it is drawn, and whenever typing pauses. `round` changes when it is drawn anew.
export function Watched({ form, round, onSaid }) {
  const telling = useRef(onSaid);
  telling.current = onSaid;
  useEffect(() => {
    let last = "";
    let timer = 0;
    function tell() {
      const found = document.getElementById(form);
      if (!found) return;
      const said = Object.fromEntries(new FormData(found));
      if (JSON.stringify(said) === last) return;
      last = JSON.stringify(said);
      telling.current?.(said);
    }
    function later(event) {
      if (event && event.target.closest?.("form")?.id !== form) return;
      clearTimeout(timer);
      timer = setTimeout(tell, 350);
    }
    later();
    document.addEventListener("input", later);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("input", later);
    };
  }, [form, round]);
  return null;
}

// Puts the text of a chosen file into a control of a form, by its id.
export function FileText({ of, label, accept }) {
  const [fault, setFault] = useState("");
  async function take(event) {
    const file = event.target.files?.[0];
    const control = document.getElementById(of);
    if (!file || !control) return;
    setFault(file.size > 4000000 ? "This file is larger than 4 MB." : "");
    if (file.size > 4000000) return;
    const text = await file.text();
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(control), "value").set.call(control, text);
    control.dispatchEvent(new Event("input", { bubbles: true }));
    event.target.value = "";
  }
  return h("div", { className: "field" }, h("label", { htmlFor: `${of}-file` }, label), h("input", { id: `${of}-file`, type: "file", accept, className: "input", onChange: take }),
    fault ? h("span", { className: "fault", role: "alert" }, fault) : null);
}

// Rows change their order: dragged by their handle. `onMove(id, before)`; an empty `before` is the end.
export function Order({ onMove }) {
  const moving = useRef(onMove);
  moving.current = onMove;
  useEffect(() => {
    let dragged = null;
    const clear = () => document.querySelectorAll("[data-drop]").forEach((row) => row.removeAttribute("data-drop"));
    const over = (event) => event.target instanceof Element ? event.target.closest("main [data-row]") : null;
    const isAfter = (event, row) => event.clientY > row.getBoundingClientRect().top + row.offsetHeight / 2;
    function start(event) {
      dragged = event.target.closest?.("[data-handle]")?.closest("[data-row]") ?? null;
      if (dragged) event.dataTransfer.setDragImage(dragged, 20, 20);
    }
    function drag(event) {
      const row = over(event);
      if (!dragged || !row) return;
      event.preventDefault();
      clear();
      row.setAttribute("data-drop", isAfter(event, row) ? "after" : "before");
    }
    function drop(event) {
      const row = over(event);
      if (dragged && row && row !== dragged) {
        event.preventDefault();
        const before = isAfter(event, row) ? row.nextElementSibling : row;
        if (before !== dragged) moving.current?.(dragged.dataset.row, before?.dataset.row ?? "");
      }
      dragged = null;
      clear();
    }
    const kinds = { dragstart: start, dragover: drag, drop, dragend: drop };
    for (const [kind, act] of Object.entries(kinds)) document.addEventListener(kind, act);
    return () => {
      for (const [kind, act] of Object.entries(kinds)) document.removeEventListener(kind, act);
    };
  }, []);
  return null;
}
