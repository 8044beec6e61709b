"""Reads ``forms/<process>/<form>.yaml``, ``forms/<process>/roster.yaml`` and ``forms/shared/*.yaml``.

The grammar. Unknown keys, duplicate keys and wrong types are refused, all problems of a file at once, each in a
Chinese sentence that names file and key.

A form::

    title: 就业帮扶车间认定申请          # required, what to do
    intro: 说明文字
    sections:                            # at least one, unless the form has outcomes
      - key: employer                    # snake_case, unique in the form
        title: 单位情况
        hint: ……
        show_if: {field: kind, equals: company}   # optional, as for fields; applies to the whole section
        fields: [FIELD, …]
      - include: shared/employer         # a whole section from forms/shared/employer.yaml; beside it only
        title: 用人单位                  #   key, title, hint, show_if, which replace those of the shared file
    outcomes:                            # optional: the buttons of an officer's decision
      - key: accept                      # snake_case
        label: 受理，送县级审核          # required
        next: 县人社局和县乡村振兴局同时审核
        tone: primary                    # primary | plain | danger; default plain
        opinion: optional                # required | optional | none; default optional
        phrases: [材料齐全，予以受理。]
        requires: [defects]              # fields that must be filled in for this outcome
    rules: [RULE, …]                     # optional

A shared file is a section without its ``include`` (``key``, ``title``, ``hint``, ``fields``). A ``fields`` list may
also contain ``- include: shared/address``, which stands for the fields of that shared file. Shared files do not
include others.

FIELD::

    key: contact_phone                   # snake_case, unique in the form; outcome and opinion are reserved
    label: 联系电话                      # required
    type: phone                          # default text, see below
    required: true                       # default false; a declaration is always required
    hint: 手机或带区号的固定电话
    max_length: 200                      # characters; default 200, textarea 2000
    min: 1                               # integer, decimal (quote it: "0.5"), money (in 元), date (2022-06-06
    max: 100                             #   or today); files, multichoice, defects: how many at least / most;
                                         #   numbers without min may not be negative
    options: [{value: factory, label: 厂房式}, …]   # choice, multichoice; a plain text is value and label
    options_from: divisions              # instead of options: a list that the caller hands in at run time
                                         #   (choice, multichoice, division, defects)
    check: [mobile]                      # see below
    sensitive: true                      # masked on screen; default true for id_number, phone, bank_account
    show_if: {field: mode, in: [factory, base]}     # or equals: one value; the field named stands earlier in
                                         #   the form, or is `outcome`. A hidden field is neither asked, nor
                                         #   required, nor stored.
    unit: 平方米                         # shown behind the value; money shows 元 by itself
    read_from: employer.name             # shown to read, never taken from a browser: the caller supplies it
                                         #   (names: workflows/cases/known_values.py)
    prefill: employer.contact_phone      # the first value offered, which may be changed
    accept: [pdf, image]                 # files: pdf, image, sheet; default pdf and image
    rows: 4                              # textarea: height

Types and the stored value: ``text``, ``textarea`` text · ``choice`` the option's value · ``multichoice`` list of
values · ``boolean`` true/false (yes/no question) · ``date`` "2026-11-24" · ``integer`` int · ``decimal`` canonical
text "12.5" · ``money`` int, fen · ``phone`` digits, a landline as 0438-3212345 · ``credit_code`` 18 characters ·
``id_number`` 18 characters · ``bank_account`` digits · ``division`` code, 6 to 12 digits · ``files`` list of ids of
stored files · ``declaration`` true · ``roster`` supplied by the caller, never from the POST (the process's
roster.yaml) · ``defects`` list of {field, problem, action}: posted as ``KEY-0-field``, ``KEY-0-problem``,
``KEY-0-action``; field is one of ``options_from``'s values, problem is required. A period is two date fields and the
rule not_before. Rosters have ``attendance``, too: a day or the hours of a day as sites write them (√, 1, 0.5, 8), kept
in hundredths; what means no work is no value.

``check`` names: ``person_name`` (text: a person's name), ``mobile`` (phone: mobile numbers only), ``not_future``,
``not_past`` (date), ``worker_age`` (id_number: under 16 is an error, 60 and over a warning), ``months_list`` (text:
months such as 2026-01、2026-02, none twice and none to come), ``month`` (text: one month that has begun, 2026-05), ``roster_count`` (integer: people; the caller, who has
the roster, warns when it has another number).

RULE, over several fields; the last one named gets the message, and a rule is silent while one of them is empty::

    - {check: not_before, fields: [contract_start, contract_end]}          # the second is the same day or later
    - {check: at_most, fields: [eligible_count, staff_count]}              # the first is not above the second
    - {check: min_months, fields: [contract_start, contract_end], months: 3, level: warning}
    - {check: working_age, fields: [id_number, contract_start]}            # 16 on that day
    - {check: different, fields: [contact_id, legal_id]}
    - {check: needs, fields: [changed_amount, reason]}                     # who fills in the first owes the second
    ``level`` is error (default) or warning.

A roster::

    title: 务工人员花名册                # required
    sheet: 花名册                        # the sheet's name in the template; default 花名册
    notes: [一人一行。, …]               # instructions printed above the heading
    max_rows: 5000                       # default 5000, never above 20000
    match_on: id_number                  # the column by which a corrected upload finds its row
    name_column: name                    # the column that names the person in messages
    columns: [COLUMN, …]                 # required
    row_checks:                          # a RULE, or the bare name of a check that the caller hands in
      - {check: not_before, fields: [contract_start, contract_end]}
      - identity_snapshot

COLUMN is a FIELD (key, label, type, required, hint, max_length, min, max, options, options_from, check, sensitive,
show_if, unit) of a type a cell can hold (not textarea, files, declaration, roster, defects), and::

    width: 20                            # characters; default 16
    example: "220822199001011234"        # text shown in the marked example row
    also: [证件号码]                     # other headings recognised
    unique: true                         # the same value twice in the sheet is an error
    calendar: true                       # type attendance: 31 columns, KEY_01 (1日) to KEY_31 (31日)
    shared: true                         # … is a warning

Choice columns accept the option's label or value. ``options_from`` columns accept the list handed in, or any text
when none is. The headings 序号 and 问题说明 are reserved: they are recognised and not imported.
"""

from __future__ import annotations

from collections.abc import Mapping

from forms.loader import Loader
from forms.model import (
    Column,
    Field,
    FormDefinition,
    Option,
    Outcome,
    RosterDefinition,
    Rule,
    Section,
    ShowIf,
    Value,
)

__all__ = [
    "Column",
    "Field",
    "FormDefinition",
    "Option",
    "Outcome",
    "RosterDefinition",
    "Rule",
    "Section",
    "ShowIf",
    "Value",
    "load_form",
    "load_roster",
]


def load_form(text: str, file: str, shared: Mapping[str, str] | None = None) -> FormDefinition:
    """Read a form.

    :param text: the YAML.
    :param file: its name, for messages.
    :param shared: the YAML of shared sections, keyed as they are included, e.g. ``shared/employer``.
    :raises CatalogueError: with every problem of the file.
    """
    return Loader(file, shared or {}).form(text)


def load_roster(text: str, file: str) -> RosterDefinition:
    """Read a roster definition.

    :raises CatalogueError: with every problem of the file.
    """
    return Loader(file, {}).roster(text)
