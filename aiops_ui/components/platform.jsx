// What only the browser knows or can do: its clock and time zone, and its clipboard.
import { createElement, useEffect, useState } from "react";

// Days only from two on: "tomorrow" is said of the calendar's day, which 30 hours from now need not be.
const UNITS = [["day", 172800, 86400], ["hour", 3600, 3600], ["minute", 60, 60], ["second", 1, 1]];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" });

function relative(seconds) {
  const distance = Math.abs(seconds);
  if (distance < 5) return "just now";
  const [unit, , length] = UNITS.find(([, from]) => distance >= from);
  return words.format(Math.round(seconds / length), unit);
}

function exact(date, zone) {
  try {
    return new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium", timeZone: zone || undefined }).format(date);
  } catch {
    return date.toISOString();
  }
}

// A time: relative and counting, with the exact one in the viewer's zone and in UTC on hover; or exact, with the relative on hover.
export function Moment({ at, zone, isExact, missing }) {
  const [now, setNow] = useState(() => Date.now());
  const date = at ? new Date(at) : null;
  const age = date ? Math.abs(now - date.getTime()) : 0;
  useEffect(() => {
    if (!at) return undefined;
    const timer = setInterval(() => setNow(Date.now()), age < 120000 ? 1000 : 30000);
    return () => clearInterval(timer);
  }, [at, age < 120000]);
  if (!date || Number.isNaN(date.getTime())) return createElement("span", { className: "muted" }, missing || "never");
  const near = relative((date.getTime() - now) / 1000);
  const far = exact(date, zone);
  const utc = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return createElement("time", { dateTime: at, title: isExact ? `${near} · ${utc}` : `${far} · ${utc}`, className: isExact ? "exact" : undefined, suppressHydrationWarning: true }, isExact ? far : near);
}

// A secret to take along: read-only, marked as a whole when it is entered, copied by its button.
export function Copyable({ text, label }) {
  const [done, setDone] = useState(false);
  async function copy(event) {
    const input = event.currentTarget.previousSibling;
    input.select();
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      document.execCommand("copy"); // without https there is no clipboard object
    }
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  }
  return createElement(
    "div",
    { className: "secret" },
    createElement("input", { className: "input", readOnly: true, value: text, "aria-label": label, onFocus: (event) => event.target.select() }),
    createElement("button", { type: "button", className: "button", onClick: copy }, done ? "Copied" : "Copy"),
  );
}

// The time of day; when it was another day, the date with it.
export function Clock({ at, zone }) {
  const date = at ? new Date(at) : null;
  if (!date || Number.isNaN(date.getTime())) return createElement("time", null, "–");
  const [day, time] = exact(date, zone).split(" ");
  const today = exact(new Date(), zone).split(" ")[0];
  const utc = `${date.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const title = `${relative((date.getTime() - Date.now()) / 1000)} · ${day} ${time} · ${utc}`;
  return createElement("time", { dateTime: at, title, className: "exact", suppressHydrationWarning: true }, day === today ? time : `${day.slice(5)} ${time?.slice(0, 5)}`);
}

async function take(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea"); // without https there is no clipboard object
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function Copier({ text, label }) {
  const [done, setDone] = useState(false);
  async function copy() {
    await take(text.replaceAll("@origin", window.location.origin));
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  }
  return createElement("button", { type: "button", className: "option", onClick: copy }, done ? "Copied" : label);
}

export function Code({ text }) {
  const [done, setDone] = useState(false);
  const [wraps, setWraps] = useState(false);
  async function copy() {
    await take(text);
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  }
  return createElement(
    "div",
    { className: "code" },
    createElement(
      "div",
      { className: "code-acts" },
      createElement("button", { type: "button", className: "button small plain", "aria-pressed": wraps, onClick: () => setWraps(!wraps) }, "Wrap"),
      createElement("button", { type: "button", className: "button small plain", onClick: copy }, done ? "Copied" : "Copy"),
    ),
    createElement("pre", { className: wraps ? "mono wraps" : "mono", tabIndex: 0 }, text),
  );
}
