// The command palette: every page, every incident number, and the acts of the page that is open. Opened by Ctrl+K or ⌘K.
import { createElement as h, useEffect, useMemo, useRef, useState } from "react";

function score(words, title) {
  const text = title.toLowerCase();
  let at = 0;
  for (const letter of words) {
    at = text.indexOf(letter, at) + 1;
    if (!at) return -1;
  }
  return text.startsWith(words) ? 3 : text.includes(` ${words}`) ? 2 : text.includes(words) ? 1 : 0;
}

// What the page itself offers: its controls that have a key.
function offered() {
  return [...document.querySelectorAll("[data-key]")]
    .filter((one) => one.offsetParent !== null && !one.disabled && !one.closest("dialog"))
    .map((one) => ({ title: one.getAttribute("aria-label") || one.dataset.title || one.firstChild?.textContent || one.textContent, key: one.dataset.key, press: () => one.click() }));
}


// `places`: pages to go to, {title, path, key, permission}; `allowed`: the permissions of the person; `found`: incidents that the server found for the words.
export function Palette({ places, allowed, found, onWords, onGo }) {
  const dialog = useRef(null);
  const input = useRef(null);
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const [acts, setActs] = useState([]);
  const timer = useRef(0);
  useEffect(() => {
    function open() {
      if (dialog.current?.open) return dialog.current.close();
      setWords("");
      setAt(0);
      setActs(offered());
      dialog.current?.showModal();
      input.current?.focus();
    }
    document.addEventListener("palette", open);
    return () => document.removeEventListener("palette", open);
  }, []);
  const lines = useMemo(() => {
    const asked = words.trim().toLowerCase();
    const number = asked.match(/^#?(\d{1,9})$/)?.[1];
    const known = [
      ...acts.map((act) => ({ ...act, kind: "act" })),
      ...(places ?? []).filter((place) => (allowed ?? []).includes(place.permission)).map((place) => ({ ...place, kind: "page", press: () => onGo?.(place.path) })),
    ];
    const fitting = asked ? known.map((line) => [score(asked, line.title), line]).filter(([s]) => s >= 0).sort((a, b) => b[0] - a[0]).map(([, line]) => line) : known;
    const incidents = asked && !number ? (found ?? []).map((one) => ({ title: `#${one.number} ${one.title}`, kind: one.status, press: () => onGo?.(`/incidents/${one.number}`) })) : [];
    const direct = number ? [{ title: `Incident #${number}`, kind: "incident", press: () => onGo?.(`/incidents/${number}`) }] : [];
    return [...direct, ...fitting.slice(0, asked ? 8 : 40), ...incidents];
  }, [words, acts, places, allowed, found, onGo]);
  useEffect(() => setAt(0), [words]);
  function typed(event) {
    const said = event.target.value;
    setWords(said);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onWords?.(said), 150);
  }
  function keys(event) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step) {
      event.preventDefault();
      setAt((now) => (now + step + lines.length) % Math.max(lines.length, 1));
    }
    if (event.key === "Enter") {
      event.preventDefault();
      choose(lines[at]);
    }
  }
  function choose(line) {
    if (!line) return;
    dialog.current?.close();
    line.press();
  }
  return h(
    "dialog",
    { ref: dialog, className: "palette", "aria-label": "Search or jump to", onClick: (event) => event.target === dialog.current && dialog.current.close() },
    h("input", {
      ref: input, value: words, onChange: typed, onKeyDown: keys, placeholder: "Search or jump to…", className: "input", role: "combobox",
      "aria-expanded": true, "aria-controls": "palette-lines", "aria-activedescendant": lines.length ? `palette-${at}` : undefined, "aria-label": "Search or jump to", autoComplete: "off", spellCheck: false,
    }),
    h(
      "ul",
      { id: "palette-lines", role: "listbox", "aria-label": "What there is" },
      lines.map((line, place) =>
        h(
          "li",
          { key: `${line.kind} ${line.title}`, id: `palette-${place}`, role: "option", "aria-selected": place === at, onMouseMove: () => setAt(place), onClick: () => choose(line) },
          h("span", { className: "title" }, line.title),
          h("span", { className: "muted" }, line.kind),
          line.key ? h("kbd", null, line.kind === "page" ? `g ${line.key}` : line.key) : null,
        ),
      ),
      lines.length ? null : h("li", { className: "muted", role: "option", "aria-selected": false }, "Nothing fits these words."),
    ),
  );
}
