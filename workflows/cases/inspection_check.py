"""核验检查档案。在解压后的文件夹里运行：python 核验.py

Needs nothing but Python 3.8 or newer: no network, no database, no package. Says what holds and what does not, in Chinese;
the exit code is 0 when everything holds.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Dict  # noqa: UP035

#: One line of the archive's JSON. Dict with a capital: it is evaluated, and must be by Python 3.8 too.
Line = Dict[str, Any]  # noqa: UP006


def canonical(value: Any) -> str:
    """The one text of a value that is hashed."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def lines_of(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def check_files(folder: Path, problems: list[str]) -> int:
    """Every file against SHA256SUMS, and no file that it does not name."""
    named: dict[str, str] = {}
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, _, path = line.partition("  ")
        named[path] = digest
    for path, digest in named.items():
        file = folder / path
        if not file.is_file():
            problems.append(f"缺少文件：{path}")
        elif sha256(file.read_bytes()) != digest:
            problems.append(f"文件被改动：{path}")
    extra = {"SHA256SUMS", "清单（已签章）.pdf"}
    for file in folder.rglob("*"):
        path = file.relative_to(folder).as_posix()
        if file.is_file() and path not in named and path not in extra:
            problems.append(f"多出来的文件（不在清单中）：{path}")
    return len(named)


def check_chain(events: list[Line], problems: list[str], where: str) -> int:
    """Hashes and links of one chain."""
    previous = ""
    for number, event in enumerate(events, 1):
        body = [
            event[key]
            for key in (
                "stream",
                "seq",
                "at",
                "kind",
                "actor_id",
                "department_id",
                "payload",
                "covers",
                "salt",
                "previous",
            )
        ]
        if sha256(canonical(body).encode("utf-8")) != event["hash"]:
            problems.append(f"{where} 第 {event['seq']} 条操作记录被改动")
        if event["seq"] != number or event["previous"] != previous:
            problems.append(f"{where} 第 {number} 条操作记录前后接不上（缺少或者多出记录）")
        previous = event["hash"]
    return len(events)


def check_rows(events: list[Line], rows: list[Line], problems: list[str], where: str) -> int:
    """Rows against the newest event that covers each."""
    covered: dict[tuple[str, str], tuple[Line, str]] = {}
    for event in events:
        for table, key, digest in event["covers"]:
            covered[table, key] = (event, digest)
    good = 0
    for row in rows:
        found = covered.get((row["table"], row["key"]))
        if found is None:
            problems.append(f"{where} 没有操作记录覆盖这一条内容：{row['table']} {row['key']}")
            continue
        event, noted = found
        number = noted.partition(":")[0]
        text = f"{event['salt']}\0{canonical(row['values'])}"
        if f"{number}:{sha256(text.encode('utf-8'))}" != noted:
            problems.append(f"{where} 内容与操作记录不符：{row['table']} {row['key']}")
        else:
            good += 1
    return good


def check_papers(folder: Path, rows: list[Line], problems: list[str]) -> int:
    """Every signed paper against the digest that its row, and so its chain, holds."""
    files = {file.name: sha256(file.read_bytes()) for file in (folder / "文书").glob("*.pdf")}
    wanted = {
        row["values"]["sha256"]
        for row in rows
        if row["table"] == "issued_documents" and row["values"]["sha256"]
    }
    for name, digest in files.items():
        if digest not in wanted:
            problems.append(f"文书不是系统签发时的文件：{name}")
    for digest in wanted - set(files.values()):
        problems.append(f"缺少一份文书，校验值 {digest[:16]}…")
    return sum(digest in wanted for digest in files.values())


def check_anchors(anchors: list[Line], chains: dict[str, list[Line]], problems: list[str]) -> int:
    """The daily seals: their own hash, and the heads of the chains that they name."""
    for anchor in anchors:
        text = canonical([anchor["day"], anchor["heads"], anchor["previous"]])
        if sha256(text.encode("utf-8")) != anchor["hash"]:
            problems.append(f"{anchor['day']} 的每日封存被改动")
        for stream, seq, head in anchor["heads"]:
            events = chains.get(stream)
            if events is not None and (len(events) < seq or events[seq - 1]["hash"] != head):
                problems.append(f"{anchor['day']} 封存时的记录与档案不符：{stream}")
    return len(anchors)


def check(folder: Path) -> tuple[list[str], list[str]]:
    """All problems, and one line for each thing that was looked at."""
    problems: list[str] = []
    told: list[str] = []
    told.append(f"文件：{check_files(folder, problems)} 个")
    chains: dict[str, list[Line]] = {}
    everything: list[Line] = []
    events_seen = rows_good = 0
    for file in sorted((folder / "存证").glob("*-事件.jsonl")):
        where = file.name[: -len("-事件.jsonl")]
        events = lines_of(file)
        rows = lines_of(file.with_name(f"{where}-内容.jsonl"))
        events_seen += check_chain(events, problems, where)
        rows_good += check_rows(events, rows, problems, where)
        everything += rows
        if events:
            chains[events[0]["stream"]] = events
    told.append(f"操作记录：{len(chains)} 条链，{events_seen} 条")
    told.append(f"记录所覆盖的内容：{rows_good} 条相符")
    told.append(f"文书：{check_papers(folder, everything, problems)} 份相符")
    told.append(
        f"每日封存：{check_anchors(lines_of(folder / '存证' / '每日封存.jsonl'), chains, problems)} 个"
    )
    return problems, told


def say(lines: list[str]) -> None:
    """On the screen, whatever its encoding can show."""
    encoding = sys.stdout.encoding or "utf-8"
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))


def main() -> int:
    """Check the folder that the command names, or the one this file lies in."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    problems, told = check(folder)
    say(told)
    if problems:
        say(["发现问题：", *(f"  - {one}" for one in problems)])
        return 1
    say(["没有发现问题。签名请用 PDF 阅读软件打开“清单（已签章）.pdf”查看。"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
