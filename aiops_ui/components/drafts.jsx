// What is typed outlives the page's being drawn anew, as after a lost connection, until it was sent or given up.
import { useEffect, useRef } from "react";

const TYPED = ["input:not([type=password]):not([type=hidden]):not([type=search]):not([type=file])", "textarea", "select"].map((kind) => `form ${kind}[name]`).join(", ");
const RECOVERS = 20000; // milliseconds in which a page is drawn anew once the server is back

const drafts = new Map(); // by page, dialog and control: what is typed, and on which connection it was sent
const known = new WeakMap(); // the control's name in the map, as the page may be another one when it goes

const isSwitch = (control) => control.type === "checkbox" || control.type === "radio";
const typed = (control) => (isSwitch(control) ? control.checked : control.value);
const isComment = (control) => control.matches("[data-comment]");

function nameOf(control) {
  const value = control.type === "radio" ? control.value : "";
  return JSON.stringify([window.location.pathname, control.closest("dialog")?.id ?? "", control.form?.id ?? "", control.name, value]);
}

function untouched(control) {
  if (isSwitch(control)) return control.checked === control.defaultChecked;
  if (control instanceof HTMLSelectElement) return control.value === ([...control.options].find((one) => one.defaultSelected) ?? control.options[0])?.value;
  return control.value === control.defaultValue;
}

// Through the platform's own setter, so that whoever listens for typing hears of it.
function put(control, value) {
  if (isSwitch(control)) return control.click();
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(control), "value").set.call(control, value);
  for (const kind of ["input", "change"]) control.dispatchEvent(new Event(kind, { bubbles: true }));
}

const controls = (node) => (node instanceof Element ? [...(node.matches(TYPED) ? [node] : []), ...node.querySelectorAll(TYPED)] : []);

// `lost` says that the server cannot be reached.
export function Drafts({ lost }) {
  const state = useRef({ lost: false, connection: 0, until: 0, opened: [] });
  useEffect(() => {
    const now = state.current;
    if (lost && !now.lost) now.opened = [...document.querySelectorAll("dialog[open][id]")].map((dialog) => dialog.id);
    if (!lost && now.lost) {
      now.connection += 1;
      now.until = performance.now() + RECOVERS;
    }
    now.lost = lost;
  }, [lost]);
  useEffect(() => {
    const recovers = () => state.current.lost || performance.now() < state.current.until;
    function type(event) {
      const control = event.target;
      if (!(control instanceof Element) || !control.matches(TYPED)) return;
      known.set(control, nameOf(control));
      drafts.set(nameOf(control), { value: typed(control), sent: null });
    }
    let writing = ""; // the comment that is being sent: its box is drawn anew, and is written in again
    function send(event) {
      const box = event.target.querySelector?.("[data-comment]");
      if (box) writing = nameOf(box);
      for (const control of controls(event.target)) {
        const draft = drafts.get(known.get(control));
        if (draft) draft.sent = state.current.connection;
      }
    }
    // Who closes a dialog gives up what was typed in it: it opens as new.
    function close(event) {
      for (const control of controls(event.target)) drafts.delete(known.get(control));
      for (const form of event.target.querySelectorAll?.("form") ?? []) form.reset();
    }
    function came(control) {
      if (writing && isComment(control) && nameOf(control) === writing) {
        writing = "";
        if (document.activeElement === document.body) control.focus({ preventScroll: true });
      }
      const draft = drafts.get(nameOf(control));
      if (!draft || !untouched(control)) return;
      known.set(control, nameOf(control));
      if (draft.value !== typed(control)) put(control, draft.value);
      const dialog = control.closest("dialog[id]");
      if (dialog && !dialog.open && recovers() && state.current.opened.includes(dialog.id)) dialog.showModal();
    }
    // A form that was sent and is drawn anew was taken, unless the connection was lost meanwhile: then nobody knows, and it is kept.
    // What else goes takes what was typed with it, but a comment waits for its writer.
    function went(control) {
      const name = known.get(control);
      const draft = drafts.get(name);
      if (!draft) return;
      const taken = draft.sent === state.current.connection && !state.current.lost;
      if (taken || (!isComment(control) && !recovers())) drafts.delete(name);
    }
    const watching = new MutationObserver((changes) => {
      if (!drafts.size && !writing) return;
      for (const change of changes) for (const node of change.removedNodes) if (!node.isConnected) controls(node).forEach(went);
      for (const change of changes) for (const node of change.addedNodes) if (node.isConnected) controls(node).forEach(came);
    });
    watching.observe(document.body, { childList: true, subtree: true });
    document.addEventListener("input", type);
    document.addEventListener("submit", send, true);
    document.addEventListener("close", close, true);
    return () => {
      watching.disconnect();
      document.removeEventListener("input", type);
      document.removeEventListener("submit", send, true);
      document.removeEventListener("close", close, true);
    };
  }, []);
  return null;
}
