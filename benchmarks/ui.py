"""How quick is the page, with many looking and while it storms? `python -m benchmarks.ui [--alerts N] [--out FILE]`.

load      bytes by transferSize with an empty cache, first contentful paint, live rows, layout shift
push      from the post to the row in one Chromium tab, with 49 more socket clients on the same list
storm     5,000 alerts: how long after the last answer the list is still
keys      200 key presses while 1,000 alerts a second come in, by the browser's own event timing
far       from a key to what is seen of it, with 150 ms to the server and back
memory    of the web process, for each of the 49 tabs
list      with --alerts 1000000: from a click on a filter to the filtered rows
"""

import argparse
import json
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, sync_playwright

from benchmarks import populate
from benchmarks.measured import Measured, measured
from engine.process import end, spawn
from tests.testkit.installation import PASSWORD
from tests.testkit.sockets import Person, Wire, signed_in

TABS = 49
_SENDER = httpx.Client(timeout=10, trust_env=False)  # one that keeps its connection, as Alertmanager does
_QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
_WATCH = """() => {
  window.seen = {}; window.last = 0; window.shift = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value; })
    .observe({ type: "layout-shift", buffered: true });
  new MutationObserver((all) => {
    const now = performance.timeOrigin + performance.now();
    if (all.every((m) => (m.target.closest ?? (() => null)).call(m.target, "time") || m.target.parentElement?.closest("time"))) return;
    window.last = now;
    for (const row of document.querySelectorAll("main [data-row]")) {
      const mark = row.textContent.match(/ping-\\d+/)?.[0];
      if (mark && !(mark in window.seen)) window.seen[mark] = now;
    }
  }).observe(document.querySelector("main"), { subtree: true, childList: true, characterData: true, attributes: true });
}"""
_PRESSES = """() => {
  window.presses = [];
  new PerformanceObserver((list) => { for (const e of list.getEntries()) if (e.name === "keydown") window.presses.push(e.duration); })
    .observe({ type: "event", durationThreshold: 16, buffered: false });
}"""
_FAR = """() => {
  window.far = []; let at = 0;
  document.addEventListener("keydown", () => { at = performance.now(); }, true);
  new MutationObserver(() => {
    const began = at;
    if (began) requestAnimationFrame(() => window.far.push(performance.now() - began));
    at = 0;
  })
    .observe(document.querySelector("main"), { subtree: true, attributes: true, attributeFilter: ["data-cursor", "data-pending"] });
}"""
_SIZES = """() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const of = (test) => all.filter((e) => test(e.name)).reduce((sum, e) => sum + e.transferSize, 0);
  const font = (name) => name.endsWith(".woff2");
  return { fonts: of(font), rest: of((name) => !font(name)), paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime };
}"""

# From the press of an option to a list that shows nothing else.
_FILTER = """(word) => new Promise((done) => {
  const began = performance.now();
  const cells = () => [...document.querySelectorAll("main td.severity-of")];
  const shown = () => cells().length > 0 && cells().every((cell) => cell.innerText.trim() === word);
  const look = () => (shown() ? done(performance.now() - began) : requestAnimationFrame(look));
  [...document.querySelectorAll(".option")].find((one) => one.innerText.includes(word)).click();
  look();
})"""


def measure(on: Measured, alerts: int) -> dict[str, Any]:
    """All of it, on one installation."""
    person = signed_in(on.installed, "ada@acme.example")
    post(on, [labels("warm-up", service=f"svc-{n}") for n in range(30)])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_QUIET)
        page = entered(browser.new_context(viewport={"width": 1440, "height": 900}).new_page(), on.installed.url)
        found: dict[str, Any] = {"load": load(page, on.installed.url)}
        before = rss(on)
        with others(person, TABS):
            found["memory"] = {"mib_per_tab": round((rss(on) - before) / TABS / 2**20, 3)}
            found["push"] = push(on, page)
        found["storm"] = storm(on, page)
        found["keys"] = keys(on, page)
        found["far"] = far(page)
        if alerts:
            populate.populate(on, firing=alerts, resolved=0, over=0)
            found["list"] = filtered(page, on.installed.url)
        browser.close()
    return found


def entered(page: Page, url: str) -> Page:
    """Signed in."""
    page.goto(f"{url}/sign-in")
    page.fill("#email", "ada@acme.example")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector(".sidebar .end >> text=Sign out", state="attached")
    return page


def load(page: Page, url: str) -> dict[str, Any]:
    """The list of incidents with an empty cache, five times."""
    session = page.context.new_cdp_session(page)
    rows: list[float] = []
    sizes: dict[str, Any] = {}
    paints: list[float] = []
    shifts: list[float] = []
    for _ in range(5):
        session.send("Network.clearBrowserCache")
        began = time.perf_counter()
        page.goto(f"{url}/incidents", wait_until="commit")
        page.wait_for_selector("main [data-row]")
        rows.append((time.perf_counter() - began) * 1000)
        page.evaluate(_WATCH)
        page.wait_for_timeout(800)
        sizes = page.evaluate(_SIZES)
        paints.append(sizes["paint"])
        shifts.append(page.evaluate("window.shift"))
    return {
        "kib": round(sizes["rest"] / 1024, 1),
        "font_kib": round(sizes["fonts"] / 1024, 1),
        "first_paint_ms": round(statistics.median(paints)),
        "live_rows_ms": round(statistics.median(rows)),
        "layout_shift": round(max(shifts), 4),
    }


def push(on: Measured, page: Page) -> dict[str, float]:
    """One alert after the other, each an incident of its own."""
    page.evaluate(_WATCH)
    sent: dict[str, float] = {}
    for number in range(60):
        mark = f"ping-{number}"
        sent[mark] = time.time() * 1000
        post(on, [labels(mark, service=mark)])
        time.sleep(0.35)
    page.wait_for_timeout(1500)
    seen: dict[str, float] = page.evaluate("window.seen")
    return spread([seen[mark] - at for mark, at in sent.items() if mark in seen]) | {"missing": len(sent) - len(seen)}


def storm(on: Measured, page: Page) -> dict[str, float]:
    """250 posts of 20."""
    page.evaluate(_WATCH)
    for number in range(250):
        post(on, [labels(f"storm-{number}-{place}", service=f"storm-{number % 40}") for place in range(20)])
    ended = time.time() * 1000
    page.wait_for_timeout(8000)
    return {"still_after_ms": round(page.evaluate("window.last") - ended)}


def keys(on: Measured, page: Page) -> dict[str, float]:
    """Down and up while alerts come."""
    command = [sys.executable, "-m", "benchmarks.posting", "--url", on.url, "--secret", on.secret, "--rate", "1000", "--seconds", "40"]
    posting = spawn(command, at_our_death=signal.SIGTERM, output=subprocess.DEVNULL)
    page.wait_for_timeout(3000)
    page.evaluate(_PRESSES)
    for number in range(200):
        page.keyboard.press("j" if number % 20 < 10 else "k")
        page.wait_for_timeout(120)
    page.wait_for_timeout(500)
    slow: list[float] = page.evaluate("window.presses")
    end(posting, signal.SIGTERM, 5.0)
    return spread(slow + [16.0] * (200 - len(slow)))


def far(page: Page) -> dict[str, float]:
    """The cursor and acknowledging, far from the server."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    conditions = {"offline": False, "latency": 150, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.emulateNetworkConditions", conditions)
    page.evaluate(_FAR)
    for _ in range(20):
        for key in ("j", "e"):
            page.keyboard.press(key)
            page.wait_for_timeout(250)
    found = spread(page.evaluate("window.far"))
    session.send("Network.emulateNetworkConditions", conditions | {"latency": 0})
    return found


def filtered(page: Page, url: str) -> dict[str, float]:
    """A filter on and off."""
    page.goto(f"{url}/alerts")
    page.wait_for_selector("main [data-row]")
    page.wait_for_timeout(2000)
    waits: list[float] = []
    for word in ("Critical", "Warning") * 10:
        page.evaluate("document.querySelector('details.facet').open = true")
        page.wait_for_timeout(400)
        waits.append(page.evaluate(_FILTER, word))
    return spread(waits)


@contextmanager
def others(person: Person, count: int) -> Iterator[None]:
    """So many more who look at the list of incidents."""
    wires = [Wire(person.url, cookie=person.cookie, path="/incidents").open() for _ in range(count)]
    ending = threading.Event()

    def listen(wire: Wire) -> None:
        while not ending.is_set():
            wire._next(0.5)
            wire.heard.clear()

    threads = [threading.Thread(target=listen, args=(wire,)) for wire in wires]
    for thread in threads:
        thread.start()
    time.sleep(5)
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join()
        for wire in wires:
            wire.close()


def post(on: Measured, all_labels: list[dict[str, str]]) -> None:
    """Post alerts that begin to fire."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    alerts = [{"status": "firing", "labels": labels, "startsAt": now} for labels in all_labels]
    body = {"version": "4", "alerts": alerts}
    _SENDER.post(on.url, json=body, headers={"Authorization": f"Bearer {on.secret}"}).raise_for_status()


def labels(name: str, service: str) -> dict[str, str]:
    """The labels of an alert."""
    return {"alertname": name, "severity": "error", "service": service, "instance": re.sub(r"\W", "-", name)}


def rss(on: Measured) -> int:
    """The memory of the web process, in bytes."""
    return on.installed.children()["web"].memory_info().rss


def spread(values: list[float]) -> dict[str, float]:
    """The middle and the end of what was measured, in milliseconds."""
    ordered = sorted(values)
    at = {name: ordered[min(len(ordered) - 1, int(len(ordered) * part))] for name, part in (("p50", 0.5), ("p95", 0.95))}
    return {name: round(value, 1) for name, value in at.items()} | {"count": len(values)}


def main() -> None:
    """Run by the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=0, help="of the list that is filtered; 0: leave it out")
    parser.add_argument("--out", type=Path, help="write the result here too")
    parser.add_argument("--folder", type=Path, help="keep the data in this folder, which others must be able to pass through")
    options = parser.parse_args()
    with measured(options.folder) as on:
        text = json.dumps(measure(on, options.alerts), indent=2)
    if options.out:
        options.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
