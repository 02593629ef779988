"""The audit page in a real browser: what it shows, what it does without a mouse, and what it refuses to do."""

import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from pipeline.report.page import render_page
from pipeline.report.page_rows import derived
from tests.pipeline.chromium import FLAGS, chromium_path
from tests.pipeline.many_rows import HOSTILE, frame_of, hostile_rows, many_rows

ROWS, MANY = 60, 10_000
READY = "html[data-ready]"
NAMES = "button.open"
SORTED_BY = {
    "Model": "model",
    "Status": "status",
    "Reason": "reason",
    "Evidence": "evidence",
    "Written by": "dialect",
    "Of tolerance": "tolerance_used",
    "Absolute error": "max_abs_error",
    "Seconds": "seconds",
    "Source": "source_bytes",
}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), chromium_sandbox=False, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def frame():
    rows = frame_of(many_rows(ROWS))
    return rows.assign(key_sha256=[f"key-{line}" for line in rows["line"]], shards=[[1, 2]] * ROWS)


@pytest.fixture(scope="module")
def files(tmp_path_factory, frame):
    """Addresses of the pages by name."""
    folder = tmp_path_factory.mktemp("pages")
    frames = {"rows": frame, "hostile": frame_of(hostile_rows()), "many": frame_of(many_rows(MANY)), "none": frame[:0]}
    for name, table in frames.items():
        (folder / f"{name}.html").write_text(render_page(table), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in frames}


@pytest.fixture
def visit(browser, files):
    """Opens a page; at the end of the test it must have fetched nothing and have had nothing to complain of."""
    contexts, requests, complaints = [], [], []

    def open_page(name, address="", **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{files[name].as_uri()}{address}")
        if options.get("java_script_enabled", True):
            page.wait_for_selector(READY)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url.split("#")[0] for url in requests} <= {file.as_uri() for file in files.values()}


def names(page):
    return page.locator(NAMES).all_inner_texts()


def found(page):
    """How many rows fit search and filters, as the page says."""
    words = page.locator(".dt-info").inner_text().replace(",", "").split()
    return 0 if words[0] == "No" else int(words[words.index("of") + 1])


def named(frame):
    return (frame["model"] + "/" + frame["version"].astype(str)).tolist()


def test_headline_and_rows(visit, frame):
    page = visit("rows")
    published = frame["status"].isin(["migrated", "unchanged"]).sum()
    assert f"{published} of {ROWS} rows are published. {ROWS - published} need a person." in page.inner_text("main")
    assert names(page) == named(frame)[:25]
    assert found(page) == ROWS


def test_search_looks_into_every_column(visit, frame):
    page = visit("rows")
    target = frame.iloc[7]
    for words in (target["model"], target["source_sha256"][:20], "key-9", f"{target['model'].upper()} 2.21.0"):
        page.fill("#search", words)
        expect(page.locator(NAMES)).to_have_count(1)
        assert names(page) == [f"{target['model']}/1"]
    page.fill("#search", "nothing like this")
    expect(page.locator("#all-rows")).to_contain_text("Clear the search")
    page.click("button[type=reset]")
    expect(page.locator(NAMES)).to_have_count(25)
    assert found(page) == ROWS


def test_filters(visit, frame):
    page, table = visit("rows"), derived(frame)
    for column in ("status", "reason", "evidence", "dialect"):
        for choice in table[column].unique():
            page.select_option(f"#filter-{column}", choice or "-")
            expected = [name for name, value in zip(named(frame), table[column], strict=True) if value == choice]
            assert found(page) == len(expected)
            assert names(page) == expected[:25]
        page.select_option(f"#filter-{column}", "")


def test_filters_narrow_one_another(visit, frame):
    page = visit("rows")
    page.select_option("#filter-status", "migrated")
    page.select_option("#filter-evidence", "golden")
    assert found(page) == ((frame["status"] == "migrated") & (frame["evidence"] == "golden")).sum()


def test_sorts_by_each_column(visit, frame):
    page, table = visit("rows"), derived(frame)
    page.select_option(".dt-length select", "100")
    for heading, column in SORTED_BY.items():
        values = dict(zip(named(frame), table[column], strict=True))
        header = page.locator("#all-rows thead th", has_text=heading)
        for direction in ("ascending", "descending"):
            header.locator("[role=button]").press("Enter")
            expect(header).to_have_attribute("aria-sort", direction)
            shown = [-1 if value != value else value for value in map(values.get, names(page))]
            order = names(page) if column == "model" else shown
            assert order == sorted(order, reverse=direction == "descending")


@pytest.mark.parametrize("act", ["click", "Enter", "Space"])
def test_a_row_opens_to_its_whole_story(visit, frame, act):
    index = next(i for i in range(25) if len(frame["rewrites"][i]) > 1 and frame["status"][i] == "migrated")
    row = frame.iloc[index]
    page = visit("rows")
    button = page.locator(NAMES).nth(index)
    do = button.click if act == "click" else lambda: button.press(act)
    assert button.get_attribute("aria-expanded") == "false"
    do()
    assert button.get_attribute("aria-expanded") == "true"
    story = page.inner_text(".story")
    layers = [text.split(": ")[0] for text in row["rewrites"]]
    told = ("source", "source_sha256", "output", "output_sha256", "architecture", "run_id", "tensorflow_version")
    for text in (*layers, *(row[column] for column in told), "h5ferry migrate redo.jsonl", "h5ferry verify"):
        assert text in story
    assert "key_sha256" in story and row["key_sha256"] in story and "[1,2]" in story
    do()
    assert button.get_attribute("aria-expanded") == "false" and page.locator(".story").count() == 0


def test_all_is_reached_without_a_mouse(visit):
    page = visit("rows")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the table of all rows"
    page.keyboard.press("Enter")
    seen = []
    while "Last page" not in seen and len(seen) < 80:
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.id"))
    for stop in ("search", "filter-status", "filter-reason", "filter-evidence", "filter-dialect", "Next page"):
        assert stop in seen
    assert sum(":" in stop for stop in seen) == len(SORTED_BY)


def test_addresses_filter_and_open(visit, frame):
    stopped = frame[frame["status"] == "refused"]
    page = visit("rows", f"#row={stopped['line'].iloc[-1]}")
    assert stopped["message"].iloc[-1] in page.inner_text(".story")
    page.locator("#chart-status a", has_text="refused").click()
    assert found(page) == len(stopped)
    page.select_option("#filter-dialect", "-" if "-" in page.inner_html("#filter-dialect") else "not recorded")
    page.reload()
    page.wait_for_selector(READY)
    assert page.input_value("#filter-status") == "refused" and found(page) == len(stopped)


def test_hostile_texts_stay_texts(visit):
    page = visit("hostile")
    page.evaluate("document.querySelectorAll('button.open').forEach((button) => button.click())")
    for text in HOSTILE:
        page.fill("#search", text.split()[0])
        expect(page.locator(".dt-info")).to_contain_text("(of")
    page.click("button[type=reset]")
    expect(page.locator(".dt-info")).not_to_contain_text("(of")
    for column in ("reason", "evidence"):
        page.select_option(f"#filter-{column}", index=2)
        assert found(page) >= 1
    page.click("button[type=reset]")
    expect(page.locator(".dt-info")).not_to_contain_text("(of")
    for heading in SORTED_BY:
        page.locator("#all-rows thead th", has_text=heading).click()
    assert page.evaluate("[1, 2, 3, 4, 5, 6].some(() => 'stolen' in window)") is False
    assert page.locator("img, iframe, object, b[onclick], #all-rows script").count() == 0
    assert page.locator("script").count() == 3
    shown = page.inner_text("body")
    for text in ("<script>window.stolen = 1</script>", "<img src=x onerror='window.stolen = 3'>", "&lt;b&gt; &amp;"):
        assert text in shown
    assert "\\u202egnp.exe\\u2066 \\u2028 \\x00 \\x1b[31m" in shown
    assert not {"\u202e", "\u2066", "\u2028", "\x1b"} & set(shown)


def test_ten_thousand_rows(visit, files):
    start = time.monotonic()
    page = visit("many")
    assert time.monotonic() - start < 8
    assert files["many"].stat().st_size < 4_000_000
    start = time.monotonic()
    page.fill("#search", "speech_09")
    expect(page.locator(".dt-info")).to_contain_text("(of 10,000 in all)")
    assert time.monotonic() - start < 4
    assert 0 < found(page) < MANY and all("speech_09" in name for name in names(page))
    assert page.locator("#all-rows tbody tr").count() == 25


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["rows", "hostile", "none"])
def test_accessible_in_light_and_dark(visit, name, scheme):
    page = visit(name, color_scheme=scheme)
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true })")
    for index in range(min(3, page.locator(NAMES).count())):
        page.locator(NAMES).nth(index).click()
    found = Axe().run(page).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []


@pytest.mark.parametrize("width", [320, 768])
def test_fits_narrow_windows(visit, width):
    page = visit("rows", viewport={"width": width, "height": 800})
    page.locator(NAMES).first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_prints_all_rows_that_fit_the_filters(visit):
    page = visit("rows")
    page.select_option("#filter-status", "migrated")
    fitting = found(page)
    assert fitting > 25
    page.evaluate(
        "addEventListener('beforeprint', () => { window.printed = document.querySelectorAll('.open').length })"
    )
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert page.evaluate("window.printed") == fitting and len(names(page)) == 25
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 33, 48)"
    assert not page.is_visible("#filters")


def test_without_scripts_headline_charts_and_trouble_stand(visit, frame):
    page = visit("rows", java_script_enabled=False)
    stopped = frame[frame["status"].isin(["refused", "failed", "mismatch"])]
    assert f"{len(stopped)} need a person" in page.inner_text("h2.lead")
    bars = page.locator("#chart-status td").all()
    counts = [int(bar.inner_text().replace(",", "")) for bar in bars]
    widths = [bar.bounding_box()["width"] for bar in bars]
    assert all(width > 0 for width in widths)
    assert [width for _, width in sorted(zip(counts, widths, strict=True))] == sorted(widths)
    for message in stopped["message"]:
        assert page.get_by_text(message).count()
    assert page.is_visible("noscript p") and not page.is_visible("#filters")
