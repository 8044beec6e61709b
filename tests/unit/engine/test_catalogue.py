from __future__ import annotations

import json
import re
import shutil
import threading
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser

from tests.unit.engine.drawing import Sketch, approval
from tests.unit.engine.office import Desk
from tests.unit.engine.tables import table
from tests.unit.engine.words import VOCABULARY
from workflows.base.errors import CatalogueError
from workflows.engine import (
    EngineError,
    Problem,
    ProcessPackage,
    PublishedVersion,
    decide,
    definition,
    lint,
    load_package,
    publish,
)
from workflows.engine.package import read_yaml

RULES = table([("count", "integer")], [(["< 3"], ['"no"']), ([">= 3"], ['"yes"'])], identifier="eligibility")


def with_rules(condition: str = 'decided("eligibility", "result") == "yes"') -> Sketch:
    return (
        Sketch()
        .start()
        .user("one")
        .rule("rule", "eligibility")
        .choice("gateway", "end")
        .user("two")
        .end()
        .line("start", "one", "rule", "gateway", "end")
        .flow("gateway", "two", condition)
        .line("two", "end")
    )


def package(
    drawing: Sketch | None = None, dmn: dict[str, str] | None = None, **config: Any
) -> ProcessPackage:
    made = (drawing or with_rules()).package(
        **{"decisions": {"eligibility": {"file": "eligibility.dmn", "title": "核对"}}, **config}
    )
    return ProcessPackage(
        made.key, made.bpmn, made.config_text, {"eligibility.dmn": RULES} if dmn is None else dmn, made.forms
    )


def config_problems(drawing: Sketch | None = None, **config: Any) -> str:
    problems = lint((drawing or approval()).package(**config), VOCABULARY)
    assert all(problem.file == "process.yaml" for problem in problems), problems
    return "\n".join(str(problem) for problem in problems)


def test_a_version_survives_storage_word_for_word() -> None:
    version = publish(package(), VOCABULARY)
    again = PublishedVersion.load(version.dump())
    assert again == version
    assert hash(again) == hash(version)
    assert again != "version"
    assert again.dump() == version.dump()
    assert again.config["title"] == "示例流程"
    assert decide(again.decision("eligibility"), {"count": 3}).row == {"result": "yes"}
    assert {key: [rule.id for rule in rules] for key, rules in again.rules().items()} == {
        "eligibility": ["r1", "r2"]
    }
    assert next(flow.id for flow in again.flows()) == "start_to_one"
    kinds = {element.id: (element.kind, element.lane) for element in again.elements()}
    assert kinds["one"] == ("userTask", "hrss")
    with pytest.raises(EngineError, match="nothing"):
        again.decision("nothing")


def test_a_stored_version_that_was_altered_is_refused() -> None:
    text = publish(package(), VOCABULARY).dump()
    altered = json.loads(text)
    altered["bpmn"] = altered["bpmn"].replace("yes", "no")
    for broken in (json.dumps(altered), text[:-9], "[]", "{}", "null", '{"seal": "x"}'):
        with pytest.raises(EngineError, match="改动"):
            PublishedVersion.load(broken)


def test_broken_texts_behind_a_right_seal_are_refused_when_used() -> None:
    version = publish(package(), VOCABULARY)
    for change in ({"bpmn": "<"}, {"config_text": "["}, {"dmn": {"x.dmn": "<"}}):
        broken = PublishedVersion(
            **{
                **{
                    name: getattr(version, name)
                    for name in ("key", "digest", "bpmn", "config_text", "dmn", "spec_json")
                },
                **change,
            }
        )
        with pytest.raises(EngineError):
            _ = (broken.graph, broken.config, broken.decisions)


def test_equal_sources_give_equal_digests_and_any_change_another() -> None:
    one = package()
    assert one.digest == package().digest
    changed = package(dmn={"eligibility.dmn": RULES.replace("yes", "yea")})
    assert changed.digest != one.digest


def test_specifications_are_restored_once_and_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    version = publish(package(), VOCABULARY)
    definition._specs.clear()
    restored: list[str] = []
    original = definition.restore_specs
    monkeypatch.setattr(definition, "restore_specs", lambda text: restored.append(text) or original(text))
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(id(PublishedVersion.load(version.dump()).specs()[0])))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(restored) == 1
    assert len(set(found)) == 1


def test_the_cache_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition, "_KEEP", 1)
    definition._specs.clear()
    publish(package(), VOCABULARY).specs()
    publish(approval().package(), VOCABULARY).specs()
    assert len(definition._specs) == 1


def test_running_never_parses_xml_again(monkeypatch: pytest.MonkeyPatch) -> None:
    text = publish(approval().package(), VOCABULARY).dump()
    definition._specs.clear()
    monkeypatch.setattr(BpmnParser, "add_bpmn_xml", None)
    desk = Desk(PublishedVersion.load(text))
    desk.act("application")
    assert desk.open == ["acceptance"]


def test_rules_steer_the_case() -> None:
    version = publish(package(), VOCABULARY)
    desk = Desk(version)
    desk.act("one")
    assert desk.log == [("evaluate", "eligibility")]
    assert desk.open == ["two"]


def test_publishing_refuses_with_all_problems_at_once() -> None:
    with pytest.raises(CatalogueError) as caught:
        publish(package(title="", dmn={"eligibility.dmn": RULES, "more.dmn": "<"}), VOCABULARY)
    text = "\n".join(caught.value.problems)
    assert "process.yaml 中“title”没有填写" in text
    assert "more.dmn" in text


@pytest.mark.parametrize(
    ("condition", "part"),
    [
        ('decided("eligibility", "score") == 3', "没有输出“score”；现有：result"),
        ('decided("eligibility", "result") == "maybe"', "可能的结果：no、yes"),
        ('decided("other", "result") == "yes"', "规则表“other”不存在"),
    ],
)
def test_conditions_on_rules(condition: str, part: str) -> None:
    (problem, *_) = lint(package(with_rules(condition)), VOCABULARY)
    assert part in str(problem)


def test_a_collecting_table_is_not_compared() -> None:
    collecting = RULES.replace('hitPolicy="UNIQUE"', 'hitPolicy="COLLECT"')
    condition = 'decided("eligibility", "result") == "maybe"'
    assert lint(package(with_rules(condition), {"eligibility.dmn": collecting}), VOCABULARY) == []


def test_tables_and_their_entries() -> None:
    def said(dmn: dict[str, str], **config: Any) -> str:
        return "\n".join(str(problem) for problem in lint(package(None, dmn, **config), VOCABULARY))

    assert "规则表文件“eligibility.dmn”不存在" in said({})
    assert "没有可用的同名规则表" in said({"eligibility.dmn": RULES.replace('"eligibility"', '"other"')})
    both = said({"eligibility.dmn": RULES, "more.dmn": RULES})
    assert "more.dmn 没有在 process.yaml 的 decisions 里登记" in both
    assert "同名" in both
    gap = said({"eligibility.dmn": RULES.replace("&gt;= 3", "&gt; 3")})
    assert "eligibility.dmn 中「核对表」（eligibility）没有规则适用于：count = 3" in gap
    assert "规则表文件“['x']”不存在" in said(
        {"eligibility.dmn": RULES}, decisions={"eligibility": {"file": ["x"]}}
    )


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"key": "other"}, "“key”应与文件夹同名（sample）"),
        ({"title": None}, "“title”没有填写"),
        ({"started_by": "anybody"}, "“started_by”应是"),
        ({"lanes": {"employer": {"department": "employer"}}}, "“lanes.hrss”没有写，但流程图里有泳道"),
        ({"lanes": ["hrss"]}, "“lanes”应当是"),
        ({"lanes": {"hrss": "x"}}, "“lanes.hrss”下面应当是"),
        ({"steps": None}, "“steps.application”没有写，但流程图里有步骤「名application」"),
        ({"statuses": [{"key": "done"}], "incompatible": [["applicant", "hrss"]]}, ""),
        ({"incompatible": [["applicant"]]}, "“incompatible”应当是成对的列表"),
        ({"incompatible": [["applicant", "nobody"]]}, "“nobody”既不是步骤"),
        ({"documents": {"letter": {"title": "函"}}}, "“documents.letter”没有模板"),
        ({"statuses": "done"}, "状态“done”不存在"),
    ],
)
def test_process_yaml(change: dict[str, Any], part: str) -> None:
    problems = lint(approval().package(**change), VOCABULARY)
    if part:
        assert part in "\n".join(str(problem) for problem in problems)
    else:
        assert problems == []


@pytest.mark.parametrize(
    ("step", "part"),
    [
        ({"form": "gone"}, "steps.application.form”表单“gone”不存在"),
        ({"form": ["gone"]}, "表单“['gone']”不存在"),
        ({"form": None}, "表单“None”不存在"),
        ({"limit": {"days": 0}}, "的天数应是 1 至 3660"),
        ({"limit": {"days": "5"}}, "的天数应是"),
        ({"limit": {"days": True}}, "的天数应是"),
        ({"limit": 5}, "的天数应是"),
        ({"limit": {"days": 5, "unit": "weeks"}}, "的单位应是 working"),
        ({"limit": {"days": 5, "parameter": "gone"}}, "参数“gone”，但 parameters 里没有"),
        ({"stage": "gone"}, "阶段“gone”没有在 stages 里"),
        ({"roster": "all"}, "应是 none、view、edit、decide 之一"),
        ({"signatories": ["nobody"]}, "会签部门“nobody”不是已有的部门种类"),
        ({"signatories": "hrss"}, "应当是一个列表"),
        ({"documents": ["letter"]}, "文书“letter”没有在 documents 里"),
    ],
)
def test_steps_of_process_yaml(step: dict[str, Any], part: str) -> None:
    steps: Any = approval().config()["steps"]
    steps["application"] = {**steps["application"], **step}
    assert part in config_problems(steps=steps)


def test_steps_and_lanes_match_the_diagram_both_ways() -> None:
    drawing = approval()
    config: Any = drawing.config()
    config["steps"]["ghost"] = {"form": "opinion", "limit": None}
    assert "“steps.ghost”写了，但流程图里没有这个用户任务" in config_problems(steps=config["steps"])
    config = drawing.config()
    del config["steps"]["meeting"]["limit"]
    assert "“steps.meeting.limit”没有写办理时限" in config_problems(steps=config["steps"])
    config = drawing.config()
    config["lanes"]["hrss"] = {"department": "navy", "level": "moon"}
    text = config_problems(lanes=config["lanes"])
    assert "“navy”不是已有的部门种类" in text
    assert "lanes.hrss.level" in text
    config = drawing.config()
    config["steps"]["meeting"].update(
        limit={"days": 5, "parameter": "days"}, stage="review", signatories=["hrss"]
    )
    assert config_problems(steps=config["steps"], stages=[{"key": "review", "title": "审核"}]) == ""


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a: [", "不是正确的 YAML"),
        ("- a", "应当是“键: 值”"),
        ("a: 1\na: 2", "“a”写了两次"),
        ("a:\n  b: 1\n  b: 2", "第 3 行附近"),
        ("[1]: 2", "键必须是文字"),
        ("a: !!python/object:os.system x", "YAML"),
        ("a: 2026-99-99", "YAML"),
        ("", "应当是"),
        ("\x00", "YAML"),
    ],
)
def test_yaml_that_says_nothing_clear(text: str, part: str) -> None:
    problem = read_yaml(text, "process.yaml")
    assert isinstance(problem, Problem)
    assert part in str(problem)
    made = approval().package()
    assert problem in lint(ProcessPackage("sample", made.bpmn, text, forms=made.forms), VOCABULARY)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """bpmn/sample and forms/sample on disk."""
    made = package()
    folder, papers = tmp_path / "bpmn" / "sample", tmp_path / "forms" / "sample"
    (papers / "documents" / "letter").mkdir(parents=True)
    folder.mkdir(parents=True)
    (folder / "process.bpmn").write_text(made.bpmn, encoding="utf-8")
    (folder / "process.yaml").write_text(made.config_text, encoding="utf-8")
    (folder / "eligibility.dmn").write_text(RULES, encoding="utf-8")
    (folder / "scenarios.yaml").write_text("[]", encoding="utf-8")
    (papers / "opinion.yaml").write_text(
        "title: 意见\noutcomes: [{key: agree, label: 同意}, {key: return}, {label: x}]", encoding="utf-8"
    )
    (papers / "odd.yaml").write_text("outcomes: none", encoding="utf-8")
    (papers / "roster.yaml").write_text("columns: []", encoding="utf-8")
    (papers / "documents" / "readme.txt").write_text("x", encoding="utf-8")
    return tmp_path


def test_a_package_is_read_from_its_folders(shelf: Path) -> None:
    loaded = load_package(shelf / "bpmn", shelf / "forms", "sample")
    assert loaded.forms == {"odd": (), "opinion": ("agree", "return")}
    assert loaded.documents == {"letter"}
    assert list(loaded.dmn) == ["eligibility.dmn"]
    assert publish(loaded, VOCABULARY).digest == loaded.digest
    assert loaded.config["key"] == "sample"


def test_a_table_of_several_processes_stands_once(shelf: Path) -> None:
    config = shelf / "bpmn/sample/process.yaml"
    (shelf / "bpmn/sample/eligibility.dmn").rename(shelf / "bpmn/eligibility.dmn")
    (shelf / "bpmn/shared").mkdir()
    (shelf / "bpmn/eligibility.dmn").rename(shelf / "bpmn/shared/eligibility.dmn")
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("file: eligibility.dmn", "file: shared/eligibility.dmn"), encoding="utf-8")
    loaded = load_package(shelf / "bpmn", shelf / "forms", "sample")
    assert list(loaded.dmn) == ["shared/eligibility.dmn"]
    assert lint(loaded, VOCABULARY) == []
    assert publish(loaded, VOCABULARY).dump()
    for name in ("shared/../../eligibility.dmn", "/etc/passwd", "shared/none.dmn"):
        config.write_text(text.replace("file: eligibility.dmn", f"file: {name}"), encoding="utf-8")
        lost = load_package(shelf / "bpmn", shelf / "forms", "sample")
        assert "不存在" in "\n".join(str(one) for one in lint(lost, VOCABULARY))


def test_missing_and_unreadable_files_are_named(shelf: Path) -> None:
    (shelf / "bpmn/sample/process.bpmn").unlink()
    (shelf / "bpmn/sample/process.yaml").write_bytes("标题".encode("gb18030"))
    (shelf / "forms/sample/opinion.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(CatalogueError) as caught:
        load_package(shelf / "bpmn", shelf / "forms", "sample")
    text = "\n".join(caught.value.problems)
    assert "process.bpmn 不存在；请在 bpmn/sample/ 里放好" in text
    assert "process.yaml 不是 UTF-8" in text
    assert "forms/sample/opinion.yaml" in text
    shutil.rmtree(shelf / "forms")
    with pytest.raises(CatalogueError, match=re.escape("不存在")):
        load_package(shelf / "bpmn", shelf / "forms", "nothing")


def test_the_folders_may_be_package_resources() -> None:
    with pytest.raises(CatalogueError, match=r"process\.bpmn"):
        load_package(files("bpmn"), files("forms"), "no_such_process")


def test_documents_of_steps_resolve(shelf: Path) -> None:
    loaded = load_package(shelf / "bpmn", shelf / "forms", "sample")
    config: Any = {**loaded.config, "documents": {"letter": {"title": "函"}}}
    config["steps"]["one"]["documents"] = ["letter"]
    (shelf / "bpmn/sample/process.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert lint(load_package(shelf / "bpmn", shelf / "forms", "sample"), VOCABULARY) == []


def test_a_task_without_an_effect_never_becomes_a_specification() -> None:
    drawing = Sketch().start().node("work", "serviceTask").end().line("start", "work", "end")
    with pytest.raises(Exception, match="没有写明操作"):
        drawing.publish_unchecked()
