"""Is every tab of a story that of somebody who was never here before, though profiles are used again?"""

from playwright.sync_api import Browser

from tests.testkit.installation import Installation
from tests.ui.conftest import CHROMIUM

LEFT = """async () => [document.cookie, localStorage.length, sessionStorage.length, (await caches.keys()).length,
  (await navigator.serviceWorker.getRegistrations()).length]"""


def test_nothing_of_who_was_here_before_is_left(browser: Browser, installation: Installation) -> None:
    options = {"viewport": {"width": 700, "height": 500}, "service_workers": "allow"}
    first = CHROMIUM.open(installation.url, **options)
    context = first.context
    first.goto(f"{installation.url}/sign-in")
    first.evaluate("""async () => { localStorage.a = 1; sessionStorage.a = 1; document.cookie = "a=1; path=/"; await caches.open("a");
      await navigator.serviceWorker.register("/offline-worker.js"); }""")
    context.set_offline(True)
    assert first.evaluate(LEFT)[:4] != ["", 0, 0, 0]
    CHROMIUM.put_away(first, **options)
    again = CHROMIUM.open(installation.url, **options)
    assert again.context is context
    again.goto(f"{installation.url}/offline.html")
    assert again.evaluate(LEFT) == ["", 0, 0, 0, 0]
    CHROMIUM.put_away(again, **options)
