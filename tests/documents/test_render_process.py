"""The render child on its leash: what templates may not do, and what happens when one brings the child down."""

from __future__ import annotations

import gc
import io
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.documents.conftest import MakeTemplate, pages_of
from workflows.documents import render as render_module
from workflows.documents import render_child
from workflows.documents.errors import DocumentError
from workflows.documents.render import job_of, render, renderer
from workflows.documents.render_process import RenderProcess
from workflows.documents.templates import DocumentTemplate

ENDLESS = "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"


def _sample(template: DocumentTemplate) -> dict[str, Any]:
    return dict(template.sample)


@pytest.mark.parametrize(
    "trick",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ '{0.__class__}'.format('') }}",
        "{{ title.__init__.__globals__ }}",
        "{{ offices.append('x') }}",
        "{% for n in range(10000000) %}{% endfor %}",
        "{{ nobody }}",
        "{{ lipsum() }}",
        '{% include "../../../../etc/passwd" %}',
        '{% include "shared/documents/../../__init__.py" %}',
        '{% include "shared/documents/context.yaml" %}',
        '{% include "workshop_recognition/documents/refusal/template.html" %}',
    ],
)
def test_a_template_reaches_nothing_but_its_context(
    trick: str, press: RenderProcess, make_template: MakeTemplate
) -> None:
    template = make_template(trick)
    with pytest.raises(DocumentError) as refused:
        render(template, _sample(template), press)
    assert "模板" in refused.value.message
    assert "Error" in refused.value.detail or "TemplateNotFound" in refused.value.detail


@pytest.mark.parametrize(
    "paper",
    [
        '<img src="file:///etc/passwd">',
        '<img src="http://127.0.0.1:9/">',
        '<img src="picture.png">',
        '<p style="background: url(http://127.0.0.1:9/)">',
        "<style>@import url(file:///etc/passwd);</style>",
        '<link rel="attachment" href="file:///etc/passwd">',
        '<object data="file:///etc/passwd"></object>',
    ],
)
def test_a_template_fetches_nothing(paper: str, press: RenderProcess, make_template: MakeTemplate) -> None:
    template = make_template(paper)
    with pytest.raises(DocumentError) as refused:
        render(template, _sample(template), press)
    assert refused.value.detail == "FatalURLFetchingError"


def test_the_place_of_a_fault_is_told_and_no_value(press: RenderProcess, make_template: MakeTemplate) -> None:
    template = make_template("\n\n{{ employer.nobody }}", description="uses: [employer]\n")
    with pytest.raises(DocumentError) as refused:
        render(template, _sample(template), press)
    assert "(trial/template.html:3)" in refused.value.detail
    assert "丰禾" not in refused.value.detail


def test_a_child_that_dies_costs_one_paper_and_the_next_is_printed(make_template: MakeTemplate) -> None:
    press = RenderProcess()
    slow, good = make_template(ENDLESS), make_template("<p>第二件</p>", name="good")
    press.warm()
    child = press.pid
    assert child is not None
    # What an overflowing C stack does to the child, at the moment it is busy.
    threading.Timer(0.3, os.kill, (child, signal.SIGSEGV)).start()
    try:
        with pytest.raises(DocumentError, match="排版程序中断") as broken:
            render(slow, _sample(slow), press)
        assert broken.value.detail == f"child ended with {-signal.SIGSEGV}"
        assert "第二件" in pages_of(render(good, _sample(good), press))[0]
        assert press.pid not in (None, child)
    finally:
        press.close()
    assert press.pid is None


def test_a_child_that_died_while_idle_is_not_noticed_by_anyone(
    press: RenderProcess, make_template: MakeTemplate
) -> None:
    press.warm()
    assert press.pid is not None
    os.kill(press.pid, signal.SIGKILL)
    time.sleep(0.1)
    template = make_template("<p>照常</p>")
    assert "照常" in pages_of(render(template, _sample(template), press))[0]


def test_a_child_that_dies_before_it_has_read_its_job_costs_that_job_only(
    press: RenderProcess, make_template: MakeTemplate
) -> None:
    template = make_template("<p>{{ title }}</p>")
    press.warm()
    assert press.pid is not None
    os.kill(press.pid, signal.SIGSTOP)
    threading.Timer(0.2, os.kill, (press.pid, signal.SIGKILL)).start()
    with pytest.raises(DocumentError, match="排版程序中断"):
        render(template, {**_sample(template), "title": "国" * 200_000}, press)


@pytest.mark.parametrize("depth", [120, 2_000])
def test_nested_tables_that_overflow_the_stack_stop_one_paper_only(
    depth: int, press: RenderProcess, make_template: MakeTemplate
) -> None:
    deep = make_template("<table><tr><td>" * depth)
    with pytest.raises(DocumentError):
        press.run(job_of(deep, _sample(deep)), seconds=1.0)
    good = make_template("<p>照常</p>", name="good")
    assert "照常" in pages_of(render(good, _sample(good), press))[0]


def test_a_paper_that_takes_too_long_is_stopped_in_time(
    press: RenderProcess, make_template: MakeTemplate
) -> None:
    template = make_template(ENDLESS)
    press.warm()
    began = time.monotonic()
    with pytest.raises(DocumentError, match="超过了时限"):
        press.run(job_of(template, _sample(template)), seconds=0.5)
    assert time.monotonic() - began < 2
    assert press.pid is None


def test_a_paper_that_needs_too_much_memory_is_stopped(
    press: RenderProcess, make_template: MakeTemplate
) -> None:
    template = make_template("{{ ('国' * 900000000)|length }}")
    with pytest.raises(DocumentError, match="内容过大") as refused:
        render(template, _sample(template), press)
    assert refused.value.detail == "MemoryError"


def test_a_job_larger_than_any_paper_is_not_even_sent(
    press: RenderProcess, make_template: MakeTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = make_template("")
    monkeypatch.setattr(render_child, "LARGEST_FRAME", 100)
    with pytest.raises(DocumentError, match="内容过大"):
        render(template, _sample(template), press)


def test_threads_share_the_child_and_get_their_own_papers(
    press: RenderProcess, make_template: MakeTemplate
) -> None:
    template = make_template("<p>{{ title }}</p>")
    found: dict[str, str] = {}

    def work(name: str) -> None:
        found[name] = pages_of(render(template, {**_sample(template), "title": name}, press))[0]

    threads = [threading.Thread(target=work, args=(f"第{n}件",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found[f"第{n}件"].count(f"第{n}件") for n in range(6))


def test_a_forked_process_leaves_its_parents_child_alone(
    press: RenderProcess, make_template: MakeTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    press.warm()
    parents, ours = press._child, press.pid
    assert parents is not None
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: 1)
        template = make_template("<p>分身</p>")
        assert "分身" in pages_of(render(template, _sample(template), press))[0]
        assert press.pid not in (None, ours)
        press.close()
    assert parents.poll() is None
    press._child, press._owner = parents, os.getpid()


def test_the_child_has_no_secrets_and_little_room(
    press: RenderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WENGANG_SECRET_KEY", "secret")
    press.close()
    press.warm()
    home = Path(f"/proc/{press.pid}")
    assert b"WENGANG" not in (home / "environ").read_bytes()
    limits = (home / "limits").read_text()
    for name, value in (
        ("Max core file size", "0"),
        ("Max file size", "0"),
        ("Max open files", "64"),
        ("Max address space", "1600000000"),
    ):
        (line,) = [line for line in limits.splitlines() if line.startswith(name)]
        assert line.removeprefix(name).split()[:2] == [value, value]


def test_a_context_that_does_not_fit_never_reaches_the_child(make_template: MakeTemplate) -> None:
    template = make_template("")
    with pytest.raises(DocumentError) as refused:
        job_of(template, {**_sample(template), "number": None})
    assert refused.value.detail == "trials/trial: context.number：应为文字"
    with pytest.raises(DocumentError, match="数据不完整") as refused:
        job_of(template, {**_sample(template), "verify_url": ""})
    assert "verify_url" in refused.value.detail


def test_the_program_shares_one_process(
    make_template: MakeTemplate, monkeypatch: pytest.MonkeyPatch, press: RenderProcess
) -> None:
    assert renderer() is renderer()
    monkeypatch.setattr(render_module, "renderer", lambda: press)
    template = make_template("<p>共用</p>")
    assert "共用" in pages_of(render(template, _sample(template)))[0]


# The child's own code, in this process, so that a fault shows its trace ------------------------------------------


@pytest.fixture
def unfrozen() -> Iterator[None]:
    """serve() freezes the garbage collector's view of a child; this process goes on."""
    yield
    gc.unfreeze()


def _frames(*jobs: dict[str, Any]) -> io.BytesIO:
    source = io.BytesIO()
    for job in jobs:
        render_child.write_frame(source, render_child.JOB, json.dumps({**job, "seconds": 30}).encode())
    source.seek(0)
    return source


def _answers(target: io.BytesIO) -> list[tuple[bytes, bytes]]:
    target.seek(0)
    return list(iter(lambda: render_child.read_frame(target), None))


def test_the_child_answers_ready_and_then_each_job(make_template: MakeTemplate, unfrozen: None) -> None:
    good, bad = make_template("<p>一</p>"), make_template("{{ nobody }}", name="bad")
    target = io.BytesIO()
    render_child.serve(_frames(job_of(good, _sample(good)), job_of(bad, _sample(bad))), target)
    ready, printed, failed = _answers(target)
    assert ready == (render_child.READY, b"")
    assert printed[0] == render_child.PDF
    assert "一" in pages_of(printed[1])[0]
    assert failed == (
        render_child.FAILED,
        b"UndefinedError: 'nobody' is undefined (bad/template.html:1)",
    )


def test_the_child_ends_when_it_cannot_trust_itself(make_template: MakeTemplate, unfrozen: None) -> None:
    deep, good = make_template("<table><tr><td>" * 120), make_template("<p>二</p>", name="good")
    target = io.BytesIO()
    render_child.serve(_frames(job_of(deep, _sample(deep)), job_of(good, _sample(good))), target)
    assert _answers(target) == [(render_child.READY, b""), (render_child.FAILED, b"RecursionError")]


def test_a_fetching_template_fails_by_kind_only(make_template: MakeTemplate) -> None:
    template = make_template('<img src="http://127.0.0.1:9/?name=李秀兰">')
    assert render_child.answer(job_of(template, _sample(template))) == (
        render_child.FAILED,
        b"FatalURLFetchingError",
    )


def test_a_file_outside_the_two_folders_has_no_name(make_template: MakeTemplate) -> None:
    template = make_template('{% include "trials/documents/trial/document.yaml" %}')
    kind, reason = render_child.answer(job_of(template, _sample(template)))
    assert kind == render_child.FAILED
    assert reason.startswith(b"TemplateNotFound: trials/documents/trial/document.yaml")


def test_an_edited_template_is_used_at_once(make_template: MakeTemplate) -> None:
    template = make_template("<p>旧</p>")
    job = job_of(template, _sample(template))
    assert "旧" in render_child.html_of(job)
    file = template.folder / "template.html"
    file.write_text(file.read_text("utf-8").replace("旧", "新"), "utf-8")
    os.utime(file, ns=(1, 1))
    assert "新" in render_child.html_of(job)
    (template.folder / "style.css").write_text("p { color: red }", "utf-8")
    assert len(render_child.stylesheets_of(job)) == 2


@pytest.mark.parametrize("bytes_", [b"", b"J", b"J\x05\x00\x00\x00abc", b"J\xff\xff\xff\xff"])
def test_a_frame_that_breaks_off_or_is_too_large_is_none(bytes_: bytes) -> None:
    assert render_child.read_frame(io.BytesIO(bytes_)) is None


def test_fields_of_a_form_stand_side_by_side_when_they_are_short() -> None:
    fields = [{"label": "甲", "value": v} for v in ("短", "短", "短", "长" * 19, "短", "两\n行")]
    fields.append({"label": "一句很长很长的承诺，占满整行的宽度，不挤在窄格里。", "value": "已承诺"})
    assert [len(row) for row in render_child.paired(fields)] == [2, 1, 1, 1, 1, 1]


def test_rows_with_the_same_title_are_put_together_in_order() -> None:
    rows = [{"title": title} for title in "甲甲乙甲"]
    assert [(c["title"], len(c["rows"])) for c in render_child.chapters(rows)] == [
        ("甲", 2),
        ("乙", 1),
        ("甲", 1),
    ]
    assert render_child.ordinal("事实。", 1, 1) == "事实。"
    assert render_child.ordinal("事实。", 2, 3) == "（二）事实。"
