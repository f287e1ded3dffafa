// What only the browser knows or can do: its clock and time zone, and its clipboard.
import { createElement, useEffect, useState } from "react";

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

function relative(seconds) {
  const distance = Math.abs(seconds);
  if (distance < 5) return "just now";
  const [unit, length] = UNITS.find(([, size]) => distance >= size);
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
  return createElement("time", { dateTime: at, title: isExact ? `${near} · ${utc}` : `${far} · ${utc}`, suppressHydrationWarning: true }, isExact ? far : near);
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
