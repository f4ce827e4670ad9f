# SPDX-License-Identifier: GPL-3.0-or-later
"""The post-mortem and the review in headless Chromium. If these break, a phone shows half of them, or nothing."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from ansible_collections.aurora.runbook.plugins.plugin_utils.postmortem import _render, _tell, _written
from ansible_collections.aurora.runbook.plugins.plugin_utils.review import _figures
from ansible_collections.aurora.runbook.plugins.plugin_utils.review import _render as _render_review
from playwright.sync_api import sync_playwright

CHECKOUT = Path(__file__).resolve().parents[2]
ARTIFACTS = CHECKOUT / ".dev" / "artifacts"
sys.path.insert(0, str(CHECKOUT / "tests"))

import recorded  # the path above is what makes it importable
import reviewed

HOSTILE = "<img src=https://evil.example.com/x onerror=console.error(1)><script>console.error(2)</script>" + "x" * 5000
WIDTH = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        found = shutil.which("chromium")
        assert found, "no chromium here; ./dev test installs it"
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show_text(chromium, tmp_path):
    """Opens a report as a file, and gives the page with what it asked of the network and said on the console."""
    pages = []

    def opened(text, width=390, scheme="light"):
        (tmp_path / "report.html").write_text(text, encoding="utf-8")
        page = chromium.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        pages.append(page)
        said = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
        page.goto((tmp_path / "report.html").as_uri())
        return page, said

    yield opened
    for page in pages:
        page.close()


@pytest.fixture
def show(show_text):
    def opened(story, language="en", width=390, scheme="light"):
        return show_text(_render.render(story, "html", language, _written.Written()), width, scheme)

    return opened


def tell(answers=None, language="en"):
    answers = answers or recorded.answers()
    return _tell.tell(recorded.ID, answers, recorded.BEGAN + 1000, language, recorded.ranges())


@pytest.mark.parametrize(("width", "shown"), [(390, "narrow"), (1100, "wide")])
@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_report_fits_and_shows_its_charts(show, language, width, shown):
    """Otherwise a reader scrolls sideways, or sees no course of the indicator."""
    page, said = show(tell(language=language), language, width)
    assert said == []
    scrolled, visible = page.evaluate(WIDTH)
    assert scrolled <= visible
    charts = page.locator(f"svg.{shown}")
    assert charts.count() == 3
    for index in range(3):
        box, line = charts.nth(index).bounding_box(), charts.nth(index).locator("path.series").bounding_box()
        assert line["width"] > 0.7 * box["width"]
        assert charts.nth(index).locator("text.limit").is_visible()
    assert page.locator(f"svg.{'wide' if shown == 'narrow' else 'narrow'}").first.is_hidden()
    assert page.locator(f"svg.{shown} .mark text").first.is_visible()


def test_text_can_be_read_on_a_phone(show):
    """Otherwise the axis of the chart is too small to read."""
    page, _said = show(tell())
    heights = page.evaluate(
        "[...document.querySelectorAll('svg.narrow text')].map(t => t.getBoundingClientRect().height)"
    )
    assert min(heights) >= 10


def test_what_hosts_say_runs_nothing_asks_nothing_and_fits(show):
    """Otherwise a log line runs in an engineer's browser, or tells its author that somebody reads the report."""
    answers = recorded.answers()
    answers["aurora1"]["incidents"][0]["entries"][4]["data"] = {"who": HOSTILE, "text": HOSTILE}
    answers["aurora2"]["incidents"][0]["entries"][4]["data"]["target"] = HOSTILE
    answers["aurora3"] = {"problem": HOSTILE}
    page, said = show(tell(answers))
    assert said == []
    assert page.locator("img, script, a, iframe, object, link").count() == 0
    scrolled, visible = page.evaluate(WIDTH)
    assert scrolled <= visible


def test_dark_and_light_differ_and_the_picture_is_kept(show):
    """Otherwise the report blinds at night; and the picture is what a reviewer looks at."""
    colours = set()
    for scheme in ("dark", "light"):
        page, _said = show(tell(), width=900, scheme=scheme)
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / "postmortem.png", full_page=True)
    assert (ARTIFACTS / "postmortem.png").stat().st_size > 50_000


def review(language="en", **more):
    found = _figures.review({**reviewed.many(), **more}, 30, reviewed.NOW)
    return _render_review.render(found, language)["html"]


@pytest.mark.parametrize("width", [390, 1100])
@pytest.mark.parametrize("language", ["en", "uk"])
def test_a_review_fits_and_shows_its_charts(show_text, language, width):
    """Otherwise a reader scrolls sideways, or sees no figures but in tables."""
    page, said = show_text(review(language), width)
    assert said == []
    scrolled, visible = page.evaluate(WIDTH)
    assert scrolled <= visible
    charts = page.locator("figure.drawn svg")
    assert charts.count() == 4
    for index in range(4):
        box = charts.nth(index).bounding_box()
        assert box["width"] > min(0.8 * width, 500)
        assert box["height"] > 100
        label = charts.nth(index).locator("xpath=..").get_attribute("aria-label")
        assert charts.nth(index).locator("xpath=..").get_attribute("role") == "img"
        assert label
        assert page.locator("table").count() > 4
    heights = page.evaluate("[...document.querySelectorAll('.drawn text')].map(t => t.getBoundingClientRect().height)")
    assert min(heights) >= 10
    beyond = page.evaluate(
        "[...document.querySelectorAll('.drawn text')].filter(t => {"
        " const own = t.getBoundingClientRect(), all = t.ownerSVGElement.getBoundingClientRect();"
        " return own.left < all.left - 1 || own.right > all.right + 1}).map(t => t.textContent)"
    )
    assert beyond == []


def test_charts_are_dark_where_the_page_is(show_text):
    """Otherwise black letters stand on a black page at three in the morning."""
    colours = {}
    for scheme in ("dark", "light"):
        page, _said = show_text(review(), 390, scheme)
        colours[scheme] = page.evaluate("getComputedStyle(document.querySelector('.drawn text')).fill")
    assert colours["dark"] != colours["light"]
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / "review.png", full_page=True)
    assert (ARTIFACTS / "review.png").stat().st_size > 50_000


def test_a_review_of_what_hosts_make_up_runs_nothing_asks_nothing_and_fits(show_text):
    cause = reviewed.rung("service_restart", HOSTILE, HOSTILE)
    hostile = reviewed.climbed((cause, "recovered"), severity=HOSTILE, chain={"problem": HOSTILE})
    lease = {**recorded.LEASE, "name": HOSTILE, "written": {HOSTILE: HOSTILE}}
    page, said = show_text(review(evil=reviewed.host(hostile, leases=[lease]), gone={"problem": HOSTILE}))
    assert said == []
    assert page.locator("img, script, a, iframe, object, link, foreignObject").count() == 0
    scrolled, visible = page.evaluate(WIDTH)
    assert scrolled <= visible
