"""From YAML to definitions, refusing what it does not know. The grammar stands in :mod:`forms.definition`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from forms.model import (
    CELL_TYPES,
    FIELD_TYPES,
    SENSITIVE_TYPES,
    SHEET_TYPES,
    Bound,
    Column,
    Field,
    FormDefinition,
    Option,
    Outcome,
    RosterDefinition,
    Rule,
    Section,
    ShowIf,
)
from forms.nodes import Node, read_yaml
from forms.text import heading
from workflows.base.errors import CatalogueError

T = TypeVar("T")

RESERVED_KEYS = frozenset({"outcome", "opinion"})
RESERVED_HEADINGS = frozenset({"序号", "问题说明"})
FIELD_CHECKS = {
    "person_name": ("text",),
    "mobile": ("phone",),
    "not_future": ("date",),
    "not_past": ("date",),
    "worker_age": ("id_number",),
    "months_list": ("text",),
    "month": ("text",),
    "roster_count": ("integer",),
}
#: Rule name → how many fields it takes.
RULES = {"needs": 2, "not_before": 2, "at_most": 2, "min_months": 2, "working_age": 2, "different": 2}
ACCEPT = ("pdf", "image", "sheet")
FORM_TYPES = tuple(one for one in FIELD_TYPES if one not in SHEET_TYPES)
DAYS_OF_A_MONTH = 31
MAX_ROWS = 20_000


class Loader:
    """Reads one file and gathers every problem before refusing it."""

    def __init__(self, file: str, shared: Mapping[str, str]) -> None:
        self.file = file
        self.shared = shared
        self.problems: list[str] = []

    def refuse(self, where: str, text: str) -> None:
        self.problems.append(f"{self.file}：{where} {text}" if where else f"{self.file}：{text}")

    def form(self, text: str) -> FormDefinition:
        return self._finish(text, self._form)

    def roster(self, text: str) -> RosterDefinition:
        return self._finish(text, self._roster)

    def _finish(self, text: str, build: Callable[[Node], T]) -> T:
        result = build(Node(self.refuse, "", read_yaml(text, self.file)))
        if self.problems:
            raise CatalogueError(self.problems)
        return result

    def _form(self, node: Node) -> FormDefinition:
        form = FormDefinition(
            file=self.file,
            title=node.text("title", required=True),
            intro=node.text("intro"),
            sections=tuple(
                self._section(f"sections[{index}]", one) for index, one in enumerate(node.items("sections"))
            ),
            outcomes=tuple(
                self._outcome(Node(self.refuse, f"outcomes[{index}]", one))
                for index, one in enumerate(node.items("outcomes"))
            ),
            rules=self._rules(node, "rules", extra=None),
        )
        node.done()
        self._check_form(form)
        return form

    def _section(self, where: str, data: object) -> Section:
        node = Node(self.refuse, where, data)
        include = node.text("include")
        if not include:
            return self._own_section(node)
        base = self._shared(include, node)
        section = Section(
            key=node.name("key", required=False) or base.key,
            title=node.text("title") or base.title,
            hint=node.text("hint") or base.hint,
            fields=base.fields,
            show_if=self._show_if(node) or base.show_if,
        )
        node.done()
        return section

    def _own_section(self, node: Node) -> Section:
        section = Section(
            key=node.name("key"),
            title=node.text("title", required=True),
            hint=node.text("hint"),
            show_if=self._show_if(node),
            fields=self._fields(node, shared=True),
        )
        node.done()
        return section

    def _shared(self, name: str, node: Node) -> Section:
        if name not in self.shared:
            node.refuse("include", f"没有“{name}”这个共用部分，请检查 forms/{name}.yaml")
            return Section(key="", title="")
        file, self.file = self.file, f"forms/{name}.yaml"
        shared, self.shared = self.shared, {}
        try:
            return self._own_section(Node(self.refuse, "", read_yaml(shared[name], self.file)))
        finally:
            self.file, self.shared = file, shared

    def _fields(self, node: Node, *, shared: bool) -> tuple[Field, ...]:
        fields: list[Field] = []
        for index, one in enumerate(node.items("fields")):
            child = Node(self.refuse, f"{node.where} fields[{index}]".strip(), one)
            if shared and child.has("include"):
                fields.extend(self._shared(child.text("include"), child).fields)
                child.done()
            else:
                fields.append(Field(**self._field(child)))
                child.done()
        return tuple(fields)

    def _field(self, node: Node, types: tuple[str, ...] = FORM_TYPES) -> dict[str, Any]:
        key = node.name("key")
        node.where = f"“{key}”" if key else node.where
        if key in RESERVED_KEYS:
            node.refuse("key", f"“{key}”是保留的名称，请换一个")
        kind = node.one_of("type", types, "text")
        label = node.text("label", required=True)
        options_from = node.name("options_from", required=False)
        field = {
            "key": key,
            "label": label,
            "type": kind,
            "required": node.flag("required") or kind == "declaration",
            "hint": node.text("hint"),
            "max_length": node.number("max_length", 2000 if kind == "textarea" else 200),
            "minimum": self._bound(node, "min", kind),
            "maximum": self._bound(node, "max", kind),
            "options": self._options(node),
            "options_from": options_from,
            "checks": self._checks(node, kind),
            "sensitive": node.flag("sensitive", kind in SENSITIVE_TYPES),
            "show_if": self._show_if(node),
            "unit": node.text("unit"),
        }
        if kind in ("choice", "multichoice") and bool(field["options"]) == bool(options_from):
            node.refuse("options", "选择题应在 options 和 options_from 中填写一个")
        if kind not in ("choice", "multichoice") and field["options"]:
            node.refuse("options", "只有选择题才有选项")
        if types is FORM_TYPES:
            accept = node.texts("accept")
            for one in accept:
                if one not in ACCEPT:
                    node.refuse("accept", f"“{one}”不在可选范围内，可选：{'、'.join(ACCEPT)}")
            field |= {
                "read_from": node.text("read_from"),
                "prefill": node.text("prefill"),
                "accept": accept or (("pdf", "image") if kind == "files" else ()),
                "rows": node.number("rows", 4),
            }
        return field

    def _bound(self, node: Node, key: str, kind: str) -> Bound:
        if not node.has(key):
            return None
        value = node.data[key]
        if kind == "date":
            if value == "today" or type(value) is date:
                return value  # type: ignore[no-any-return]  # "today" or a date, just tested
            node.refuse(key, f"应为 today 或 2022-06-06 这样的日期，现为 {value}")
            return None
        if isinstance(value, bool) or not isinstance(value, int | str):
            node.refuse(key, f"应为整数，或加引号的小数，现为 {value}")
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            node.refuse(key, f"应为整数，或加引号的小数，现为 {value}")
            return None
        if kind == "decimal":
            return str(number)
        if kind == "money":
            number *= 100
        if number != int(number):
            node.refuse(key, f"应为整数（金额以元为单位，最多两位小数），现为 {value}")
        return int(number)

    def _options(self, node: Node) -> tuple[Option, ...]:
        options: list[Option] = []
        for index, one in enumerate(node.items("options")):
            if isinstance(one, str):
                options.append(Option(one, one))
                continue
            child = Node(self.refuse, f"{node.where} options[{index}]", one)
            value = child.text("value", required=True)
            options.append(Option(value, child.text("label", required=True)))
            child.done()
        for what, found in (
            ("value", [one.value for one in options]),
            ("label", [one.label for one in options]),
        ):
            for repeated in _repeated(found):
                node.refuse("options", f"选项的 {what} 重复：{repeated}")
        return tuple(options)

    def _checks(self, node: Node, kind: str) -> tuple[str, ...]:
        names = node.texts("check")
        for name in names:
            if name not in FIELD_CHECKS:
                node.refuse("check", f"没有“{name}”这项检查，可用：{'、'.join(FIELD_CHECKS)}")
            elif kind not in FIELD_CHECKS[name]:
                node.refuse("check", f"“{name}”只能用于类型 {'、'.join(FIELD_CHECKS[name])}，这里是 {kind}")
        return names

    def _show_if(self, node: Node) -> ShowIf | None:
        if not node.has("show_if"):
            return None
        child = Node(self.refuse, f"{node.where} show_if".strip(), node.data["show_if"])
        field = child.name("field")
        values = [child.data["equals"]] if child.has("equals") else child.items("in")
        if not values:
            child.refuse("", "应写明 equals（一个值）或 in（几个值）")
        for value in values:
            if not isinstance(value, str | bool | int):
                child.refuse("", f"比较的值应为文字、整数或 true/false，现为 {value}")
        child.done()
        return ShowIf(field, tuple(value for value in values if isinstance(value, str | bool | int)))

    def _outcome(self, node: Node) -> Outcome:
        outcome = Outcome(
            key=node.name("key"),
            label=node.text("label", required=True),
            next=node.text("next"),
            tone=node.one_of("tone", ("primary", "plain", "danger"), "plain"),  # type: ignore[arg-type]  # one of these
            opinion=node.one_of("opinion", ("required", "optional", "none"), "optional"),  # type: ignore[arg-type]  # one of these
            phrases=node.texts("phrases"),
            requires=node.texts("requires"),
        )
        node.done()
        return outcome

    def _rules(self, node: Node, key: str, extra: list[str] | None) -> tuple[Rule, ...]:
        """The rules of a form or roster; bare names go to ``extra`` (None: there are none in forms)."""
        rules: list[Rule] = []
        for index, one in enumerate(node.items(key)):
            if isinstance(one, str) and extra is not None:
                extra.append(one)
                continue
            child = Node(self.refuse, f"{key}[{index}]", one)
            rule = Rule(
                name=child.text("check", required=True),
                fields=child.texts("fields"),
                months=child.number("months", 0),
                level=child.one_of("level", ("error", "warning"), "error"),  # type: ignore[arg-type]  # one of these
            )
            child.done()
            if rule.name not in RULES:
                child.refuse("check", f"没有“{rule.name}”这项检查，可用：{'、'.join(RULES)}")
            elif len(rule.fields) != RULES[rule.name]:
                child.refuse("fields", f"“{rule.name}”需要 {RULES[rule.name]} 个字段")
            if rule.name == "min_months" and not rule.months:
                child.refuse("months", "没有填写，请写明几个月")
            rules.append(rule)
        return tuple(rules)

    def _roster(self, node: Node) -> RosterDefinition:
        extra: list[str] = []
        roster = RosterDefinition(
            file=self.file,
            title=node.text("title", required=True),
            sheet=node.text("sheet", "花名册"),
            notes=node.texts("notes"),
            max_rows=node.number("max_rows", 5000),
            match_on=node.name("match_on", required=False),
            name_column=node.name("name_column", required=False),
            columns=tuple(
                column
                for index, one in enumerate(node.items("columns"))
                for column in self._columns(Node(self.refuse, f"columns[{index}]", one))
            ),
            rules=self._rules(node, "row_checks", extra),
            extra_checks=tuple(extra),
        )
        node.done()
        self._check_roster(roster)
        return roster

    def _columns(self, node: Node) -> list[Column]:
        """The columns of one entry: a calendar stands for the 31 of a month."""
        calendar = node.flag("calendar")
        column = self._column(node)
        if not calendar:
            return [column]
        if column.type not in SHEET_TYPES:
            node.refuse("calendar", "只有 attendance 类型的列可以按日展开")
        return [
            replace(
                column,
                key=f"{column.key}_{day:02d}",
                label=f"{day}日",
                also=tuple(dict.fromkeys((str(day), f"{day:02d}", f"{day}号"))),
                calendar=column.key,
                day=day,
            )
            for day in range(1, DAYS_OF_A_MONTH + 1)
        ]

    def _column(self, node: Node) -> Column:
        data = self._field(node, tuple(one for one in FIELD_TYPES if one in CELL_TYPES))
        column = Column(
            **data,
            width=node.number("width", 16),
            example=node.text("example"),
            also=node.texts("also"),
            unique=node.flag("unique"),
            shared=node.flag("shared"),
        )
        node.done()
        return column

    def _check_form(self, form: FormDefinition) -> None:
        if not form.sections and not form.outcomes:
            self.refuse("sections", "表单没有任何内容，请写明 sections 或 outcomes")
        self._no_repeats("sections", [one.key for one in form.sections])
        self._no_repeats("outcomes", [one.key for one in form.outcomes])
        self._no_repeats("字段", [one.key for one in form.fields])
        earlier: set[str] = {"outcome"} if form.outcomes else set()
        for section in form.sections:
            self._check_show_if(f"“{section.key}”", section.show_if, earlier)
            for one in section.fields:
                self._check_show_if(f"“{one.key}”", one.show_if, earlier)
                earlier.add(one.key)
        keys = {one.key for one in form.fields}
        for outcome in form.outcomes:
            self._check_known(f"“{outcome.key}” requires", outcome.requires, keys)
        for rule in form.rules:
            self._check_known(f"rules {rule.name}", rule.fields, keys)

    def _check_roster(self, roster: RosterDefinition) -> None:
        if not roster.columns:
            self.refuse("columns", "花名册没有任何列")
        if roster.max_rows > MAX_ROWS:
            self.refuse("max_rows", f"不能超过 {MAX_ROWS}")
        self._no_repeats("columns", [one.key for one in roster.columns])
        headings = [heading(name) for one in roster.columns for name in (one.label, *one.also)]
        self._no_repeats("columns label", headings)
        for name in headings:
            if name in RESERVED_HEADINGS:
                self.refuse("columns label", f"“{name}”是保留的列名，请换一个")
        earlier: set[str] = set()
        for column in roster.columns:
            self._check_show_if(f"“{column.key}”", column.show_if, earlier)
            earlier.add(column.key)
        for what, name in (("match_on", roster.match_on), ("name_column", roster.name_column)):
            self._check_known(what, (name,) if name else (), earlier)
        for rule in roster.rules:
            self._check_known(f"row_checks {rule.name}", rule.fields, earlier)

    def _check_show_if(self, where: str, condition: ShowIf | None, earlier: set[str]) -> None:
        if condition is not None and condition.field not in earlier:
            self.refuse(f"{where} show_if", f"“{condition.field}”不是排在前面的字段")

    def _check_known(self, where: str, names: tuple[str, ...], known: set[str]) -> None:
        for name in names:
            if name not in known:
                self.refuse(where, f"没有“{name}”这个字段")

    def _no_repeats(self, where: str, names: list[str]) -> None:
        for name in _repeated(names):
            self.refuse(where, f"“{name}”重复，请改名")


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if name and names.count(name) > 1})
