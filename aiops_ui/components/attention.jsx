// What calls somebody who looks elsewhere: the tab's title, and, when the person switched them on, a sound and a notification.
import { createElement as h, useEffect, useRef, useState } from "react";

const kept = (name) => {
  try {
    return window.localStorage.getItem(name) === "on";
  } catch {
    return false;
  }
};
const keep = (name, on) => {
  try {
    window.localStorage.setItem(name, on ? "on" : "off");
  } catch {
    /* a browser that keeps nothing forgets it at the next visit */
  }
};

// Two short tones, made here: no file to load.
function ring() {
  const Sound = window.AudioContext || window.webkitAudioContext;
  if (!Sound) return;
  const sound = new Sound();
  [[0, 880], [0.18, 660]].forEach(([at, pitch]) => {
    const tone = sound.createOscillator();
    const volume = sound.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.0001, sound.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.2, sound.currentTime + at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + at + 0.16);
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + at);
    tone.stop(sound.currentTime + at + 0.2);
  });
  setTimeout(() => sound.close(), 800);
}

function notify(number, title) {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(`#${number} ${title}`, { body: "Critical, and nobody has acknowledged it.", tag: `incident-${number}`, icon: "/icon.svg" });
  shown.onclick = () => {
    window.focus();
    window.location.assign(`/incidents/${number}`);
  };
}

// `count` open incidents are named in the tab's title; `number` is the newest critical incident that waits for somebody.
export function Attention({ count, number, title }) {
  const last = useRef(null);
  useEffect(() => {
    const mark = () => {
      const bare = document.title.replace(/^\(\d+\+?\) /, "");
      const wanted = count > 0 ? `(${count > 99 ? "99+" : count}) ${bare}` : bare;
      if (document.title !== wanted) document.title = wanted;
    };
    mark();
    const watching = new MutationObserver(mark);
    watching.observe(document.head, { subtree: true, childList: true, characterData: true });
    return () => watching.disconnect();
  }, [count]);
  useEffect(() => {
    const before = last.current;
    last.current = number;
    if (before === null || !number || number <= before) return; // what was there when the page opened is no news
    if (kept("aiops-sound")) ring();
    if (kept("aiops-notify") && document.visibilityState !== "visible") notify(number, title);
  }, [number]);
  return null;
}

function Switch({ name, label, about, allow }) {
  const [on, setOn] = useState(false);
  const [refused, setRefused] = useState(false);
  useEffect(() => setOn(kept(name)), [name]);
  async function change(event) {
    const wanted = event.target.checked;
    const may = wanted ? await allow() : true;
    setRefused(wanted && !may);
    keep(name, wanted && may);
    setOn(wanted && may);
  }
  return h(
    "label",
    { className: "switch" },
    h("input", { type: "checkbox", role: "switch", checked: on, onChange: change }),
    h("span", null, h("b", null, label), h("span", { className: "hint" }, refused ? "The browser does not allow this; allow it in its settings for this page." : about)),
  );
}

// The switches of this browser. They are kept here, not on the server: each device has its own.
export function Callers() {
  const allowed = async () => "Notification" in window && (await Notification.requestPermission()) === "granted";
  const sound = async () => {
    ring();
    return true;
  };
  return h(
    "div",
    { className: "stack" },
    h(Switch, { name: "aiops-sound", label: "Sound", about: "Two short tones when a critical incident opens that nobody has acknowledged.", allow: sound }),
    h(Switch, { name: "aiops-notify", label: "Desktop notifications", about: "The same, when this page is not in front of you.", allow: allowed }),
  );
}

const CALM = 3000; // milliseconds after which a page has what it is made of

// The last incidents that were seen, for a page that opens without a connection; and the worker that shows it.
export function Remembered({ incidents }) {
  useEffect(() => {
    if (!("serviceWorker" in navigator) || !window.isSecureContext) return undefined;
    const timer = setTimeout(() => navigator.serviceWorker.register("/offline-worker.js").catch(() => {}), CALM);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    if (!incidents?.length) return;
    try {
      const before = JSON.parse(window.localStorage.getItem("aiops-seen") || "[]");
      const fresh = new Set(incidents.map((one) => one.number));
      const all = [...incidents, ...before.filter((one) => !fresh.has(one.number))].slice(0, 50);
      window.localStorage.setItem("aiops-seen", JSON.stringify(all));
      window.localStorage.setItem("aiops-seen-at", new Date().toISOString());
    } catch {
      /* nothing is kept */
    }
  }, [incidents]);
  return null;
}

// Whoever is not signed in finds nothing of who was.
export function Forgotten() {
  useEffect(() => {
    try {
      window.localStorage.removeItem("aiops-seen");
      window.localStorage.removeItem("aiops-seen-at");
    } catch {
      /* nothing was kept */
    }
  }, []);
  return null;
}
