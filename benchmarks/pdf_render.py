"""``pdf_render``: a decision laid out by the warm render process, against bare WeasyPrint on the same page; signing apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import weasyprint

from benchmarks.figures import Figure, middle
from benchmarks.world import World
from workflows.documents import render_child, signing
from workflows.documents.render import job_of, render, renderer
from workflows.documents.templates import load_template

GOAL, SIGNED = 1.15, 1.0
TEMPLATE = ("workshop_recognition", "approval_form")


def run(world: World, *, quick: bool = False) -> Iterator[Figure]:
    """The whole way (checked context, pipe, template, layout) against the layout alone, in turns; then the signature."""
    times = 3 if quick else 25
    template = load_template(*TEMPLATE)
    job = job_of(template, template.sample)
    html, sheets, fonts = render_child.html_of(job), render_child.stylesheets_of(job), render_child._FONTS
    renderer().warm()
    pairs = []
    for _ in range(times + 3):
        begun = time.perf_counter()
        pdf = render(template, template.sample)
        mine = time.perf_counter() - begun
        begun = time.perf_counter()
        weasyprint.HTML(
            string=html, url_fetcher=render_child._FETCHER, base_url=render_child._BASE
        ).write_pdf(stylesheets=sheets, font_config=fonts)
        pairs.append((mine, time.perf_counter() - begun))
    bare = middle([floor for _, floor in pairs[3:]]) * 1000
    yield Figure("pdf_render", middle([mine for mine, _ in pairs[3:]]) * 1000, "ms", bare, GOAL)
    key = signing.load_signer(None, "", world.folder)
    signed = []
    for _ in range(times):
        begun = time.perf_counter()
        signing.sign(pdf, key, "基准", "", datetime.now(UTC))
        signed.append(time.perf_counter() - begun)
    yield Figure("pdf_render, the signature", middle(signed) * 1000, "ms", bare, SIGNED)
