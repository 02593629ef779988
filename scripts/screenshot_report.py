"""Takes docs/report.png, a screenshot of the audit page, from the sample run's report: `make sample` comes before."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.report.page import render_page  # noqa: E402
from pipeline.report.table import read_report  # noqa: E402
from tests.pipeline.chromium import FLAGS, chromium_path  # noqa: E402

REPORT = ROOT / "out/sample/report"
PICTURE = ROOT / "docs/report.png"
WIDTH, HEIGHT = 1200, 1130


def main() -> int:
    """Writes the screenshot; the upper part is enough to show what the page is."""
    PICTURE.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder, "report.html")
        file.write_text(render_page(read_report(str(REPORT))), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium_path(), chromium_sandbox=False, args=[*FLAGS])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(file.as_uri())
        page.wait_for_selector("html[data-ready]")
        page.screenshot(path=PICTURE)
        browser.close()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
