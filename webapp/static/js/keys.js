// Keys for people who work through lists: j and k walk, / searches, d goes to the decision, n to the next item, Ctrl+Enter
// sends the decision, ? tells. They can be switched off, and do nothing while one types.
const OFF = "wg:keys-off";
const items = [...document.querySelectorAll("[data-item]")];
let at = -1;
let dialog;

function off() { try { return localStorage.getItem(OFF) === "1"; } catch { return false; } }

function walk(step) {
  if (!items.length) return;
  items[at]?.classList.remove("wg-item-current");
  at = Math.min(Math.max(at + step, 0), items.length - 1);
  items[at].classList.add("wg-item-current");
  const link = items[at].querySelector("a[href], input, button");
  link?.focus({ preventScroll: true });
  items[at].scrollIntoView({ block: "nearest" });
}

function help() {
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.className = "wg-keys";
    dialog.setAttribute("aria-labelledby", "wg-keys-title");
    const lines = [["j / k", "下一条 / 上一条"], ["Enter", "打开所在的一条"], ["/", "到查询框"], ["d", "到办理意见"], ["n", "下一件待办"], ["Ctrl + Enter", "按所选结果办理"], ["?", "显示本说明"], ["Esc", "关闭"]];
    const title = document.createElement("h2");
    title.id = "wg-keys-title";
    title.textContent = "键盘操作";
    const list = document.createElement("dl");
    for (const [key, meaning] of lines) {
      const term = document.createElement("dt");
      const shown = document.createElement("kbd");
      shown.textContent = key;
      term.append(shown);
      const what = document.createElement("dd");
      what.textContent = meaning;
      list.append(term, what);
    }
    const tick = document.createElement("div");
    tick.className = "wg-tick";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.id = "wg-keys-on";
    box.checked = !off();
    box.addEventListener("change", () => { try { localStorage.setItem(OFF, box.checked ? "0" : "1"); } catch { /* stays on */ } });
    const label = document.createElement("label");
    label.htmlFor = box.id;
    label.textContent = "启用单键操作";
    tick.append(box, label);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "wg-button wg-button-plain";
    close.textContent = "关闭";
    close.addEventListener("click", () => dialog.close());
    dialog.append(title, list, tick, close);
    document.body.append(dialog);
  }
  if (!dialog.open) dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  const target = event.target;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = target.closest?.("form[data-decision]");
    if (form) { event.preventDefault(); form.requestSubmit(form.querySelector("[data-decision-button]")); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = target.matches?.("textarea, select, [contenteditable], input:not([type=checkbox]):not([type=radio])");
  if (typing || dialog?.open) return;
  if (event.key === "?") { event.preventDefault(); help(); return; }
  if (off()) return;
  if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
  else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); search.select(); }
  } else if (event.key === "d") {
    const choice = document.querySelector('form[data-decision] [name="outcome"]:checked, form[data-decision] [name="outcome"]');
    if (choice) { event.preventDefault(); choice.focus(); }
  } else if (event.key === "n") document.querySelector("[data-next-item]")?.click();
});

const opener = document.querySelector("[data-keys-help]");
if (opener) { opener.hidden = false; opener.addEventListener("click", help); }
