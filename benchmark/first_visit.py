"""How soon a first visit can use the page: `python -m benchmark.first_visit`, beside `make up`.

A browser without any memory of the page opens it, again and again: measured are the milliseconds
from asking for its address until photos can be chosen or dropped, on the browser's own clock, and
beside them until the page is painted. Needs playwright and a Chromium (its path in CHROMIUM, or
found on the path). Printed and saved.
"""

import argparse
import os
import shutil
import statistics
from typing import Any

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from benchmark.saving import machine, save

MOST_MS = 1000.0  # wanted, as far as the machine has nothing else to do
WIDE = ViewportSize(width=1440, height=900)
WAIT_MS = 60_000

# The input for files is there from the moment at which React shows the page; listeners for what is
# dropped come in the same turn.
WATCH = """
new MutationObserver((_, observer) => {
    if (!document.querySelector('input[type=file]')) return;
    observer.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.usableAt = performance.now(); }));
}).observe(document, {subtree: true, childList: true});
"""
TIMES = """() => [
    window.usableAt,
    performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
]"""


def visit(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds until one first visit can be used, and until its first text is painted."""
    context = browser.new_context(viewport=WIDE)  # of its own: nothing is cached
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(url)
    page.locator("input[type=file]").wait_for(state="attached", timeout=WAIT_MS)
    page.wait_for_timeout(200)  # the painting is told of afterwards
    usable_ms, painted_ms = page.evaluate(TIMES)
    context.close()
    return float(usable_ms), float(painted_ms)


def measure(url: str, visits: int) -> dict[str, Any]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        visit(browser, url)  # the browser itself has started by then
        times = [visit(browser, url) for _ in range(visits)]
        version = browser.version
        browser.close()
    usable, painted = zip(*times, strict=True)
    return {
        **machine(),
        "chromium": version,
        "visits": visits,
        "usable_p50_ms": round(statistics.median(usable), 1),
        "usable_worst_ms": round(max(usable), 1),
        "painted_p50_ms": round(statistics.median(painted), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmark.first_visit", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:9000")
    parser.add_argument("--visits", type=int, default=15)
    options = parser.parse_args()
    document = measure(options.url, options.visits)
    save("first_visit", document)
    for name, value in document.items():
        kept = "" if name != "usable_p50_ms" else "✗✓"[document["usable_p50_ms"] <= MOST_MS]
        print(f"{name:<18} {value!s:>16}  {kept}")


if __name__ == "__main__":
    main()
