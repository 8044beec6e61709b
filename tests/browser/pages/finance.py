"""What the officers of 财政 do on their pages: a fund, a batch and its three acts, the bank's file and answer, a bounce."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from pathlib import Path

from tests.browser.pages.person import Person


class Treasury:
    """One officer of 财政 at work."""

    def __init__(self, person: Person) -> None:
        self.person = person

    def open(self, tab: str = "") -> None:
        """The money, from the menu; perhaps one of its tabs."""
        self.person.menu("资金")
        if tab:
            self.person.page.get_by_role("navigation", name="资金和支付").get_by_role(
                "link", name=tab
            ).click()

    def enter_fund(self, number: str, amount: str) -> None:
        """登记资金, not yet enabled."""
        self.person.follow("登记资金")
        self.person.sees_title("登记资金")
        self.person.choose("资金来源", "衔接推进乡村振兴补助资金")
        self.person.write("下达文件文号", number)
        self.person.write("金额", amount)
        self.person.choose("可以用于", "就业帮扶车间一次性奖补")

    def enable(self, day: str, decision: str) -> None:
        self.person.follow("启用", exact=True)
        self.person.write("从哪一天起启用", day)
        self.person.write("启用的依据", decision)

    def make_all(self, people: int) -> str:
        """A batch of all that is ready; returns its address."""
        self.open("支付批次")
        self.person.follow("生成批次")
        self.person.press(f"全部 {people} 笔生成批次，交他人复核")
        self.person.sees("已生成批次")
        return self.path

    @property
    def path(self) -> str:
        return "/finance/" + self.person.page.url.split("/finance/")[1]

    def newest_notice(self) -> None:
        """What one was told last leads to where one acts."""
        self.person.go("/notices")
        with self.person.page.expect_navigation():
            self.person.page.locator(".wg-notice-list li").first.get_by_role("button", name="查看").click()

    def check(self, opinion: str) -> None:
        self.person.write("复核意见（选填）", opinion)
        self.person.press("同意，送拨付")
        self.person.sees("已复核，等待拨付")

    def release(self, amount: str) -> None:
        self.person.press(f"拨付 {amount}，生成银行文件")
        self.person.sees("银行文件已生成")

    def bank_file(self, target: Path) -> list[list[str]]:
        """Download the file for the bank; its lines of payment."""
        with self.person.page.expect_download() as found:
            self.person.pull("下载银行文件")
        found.value.save_as(target)
        rows = list(csv.reader(io.StringIO(target.read_text("utf-8-sig"))))
        assert rows[0][0] == "控制数"
        return rows[2:]

    def answer(self, file: Path, day: str) -> None:
        self.person.write("支付日期", day)
        self.person.attach("file", file)
        self.person.press("核对并导入回执")

    def correct(self, payee: str, account: str, bank: str, reason: str) -> None:
        """Enter what the account should be."""
        self.person.follow("录入更正后的账户")
        self.person.sees_title("更正收款账户")
        self.person.write("收款人户名", payee)
        self.person.write("收款账号", account)
        self.person.write("开户行全称", bank)
        self.person.write("更正的依据", reason)


def bank_says(rows: list[list[str]], target: Path, bounced: Collection[int] = ()) -> Path:
    """The bank's answer to the lines of its file.

    :param rows: as :meth:`Treasury.bank_file` gave them.
    :param bounced: the sequence numbers that came back.
    """
    lines = ["批次号,序号,金额（元）,处理结果,退票原因,银行流水号"]
    for row in rows:
        batch, seq, amount = row[0], row[1], next(cell for cell in row if cell.endswith(".00"))
        back = int(seq) in bounced
        lines.append(
            f"{batch},{seq},{amount},{'退票' if back else '成功'},{'户名不符' if back else ''},YH{seq:>08}"
        )
    target.write_text("\r\n".join(lines), "utf-8-sig")
    return target
