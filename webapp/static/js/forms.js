// Small comforts of forms; each page works without them.
//   submit once · [data-show-if] · textarea[data-counter] · [data-repeat] rows · input[data-file-names] · [data-copy]
//   [data-error-summary] takes the focus · [data-print]

// One click, one submission. The pressed button is not disabled: its name and value must be sent.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.submitting) { event.preventDefault(); return; }
  if (event.defaultPrevented) return;
  form.dataset.submitting = "1";
  const button = event.submitter?.classList.contains("visually-hidden") ? null : event.submitter;
  if (button) {
    button.dataset.was = button.textContent;
    button.setAttribute("aria-disabled", "true");
    if (button.classList.contains("wg-button")) button.textContent = form.dataset.working || "正在办理…";
  }
  setTimeout(() => release(form), 20_000);
});

function release(form) {
  delete form.dataset.submitting;
  for (const button of form.querySelectorAll("[data-was]")) {
    button.textContent = button.dataset.was;
    button.removeAttribute("aria-disabled");
    delete button.dataset.was;
  }
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-submitting]").forEach(release);
});

// A question that depends on another answer is asked only then.
function showIf() {
  for (const box of document.querySelectorAll("[data-show-if]")) {
    const form = box.closest("form");
    if (!form) continue;
    const wanted = JSON.parse(box.dataset.showIfValues);
    const name = box.dataset.showIf;
    const given = [...form.elements].filter((one) => one.name === name && (!["radio", "checkbox"].includes(one.type) || one.checked));
    if (![...form.elements].some((one) => one.name === name)) continue;
    box.hidden = !given.some((one) => wanted.includes(one.value));
  }
}
document.addEventListener("change", showIf);
showIf();

for (const area of document.querySelectorAll("textarea[data-counter]")) {
  const counter = document.getElementById(area.dataset.counter);
  if (!counter) continue;
  const most = area.maxLength;
  const count = () => {
    const length = area.value.length;
    counter.textContent = length === 0 ? `最多 ${most} 字` : `已写 ${length} 字，还可以写 ${most - length} 字`;
    counter.classList.toggle("wg-counter-over", length > most);
  };
  area.addEventListener("input", count);
  count();
}

// 再加一行
function addRow(form, name) {
  const list = form.querySelector(`[data-repeat="${CSS.escape(name)}"]`);
  const last = list?.querySelector("[data-repeat-row]:last-child");
  if (!last) return null;
  const number = list.children.length;
  const row = last.cloneNode(true);
  const renumber = (text) => text.replace(new RegExp(`(${name}-)\\d+(-)`), `$1${number}$2`);
  row.setAttribute("aria-label", `第 ${number + 1} 项`);
  row.querySelector("[data-repeat-number]").textContent = number + 1;
  row.querySelectorAll(".wg-field-error").forEach((one) => one.remove());
  row.querySelectorAll(".wg-field-wrong").forEach((one) => one.classList.remove("wg-field-wrong"));
  for (const one of row.querySelectorAll("[name], [for]")) {
    if (one.name) { one.name = renumber(one.name); one.id = renumber(one.id); one.value = ""; }
    else one.htmlFor = renumber(one.htmlFor);
    one.removeAttribute("aria-invalid");
    one.removeAttribute("aria-describedby");
  }
  list.append(row);
  return row;
}
// Without scripts three blank rows stand ready; with them one is enough.
for (const list of document.querySelectorAll("[data-repeat]")) {
  const rows = [...list.children];
  const used = (row) => [...row.querySelectorAll("[name]")].some((one) => one.value || one.hasAttribute("aria-invalid"));
  const last = rows.findLastIndex(used);
  rows.slice(last + 2).forEach((row) => row.remove());
}
for (const button of document.querySelectorAll("[data-repeat-add]")) {
  button.addEventListener("click", (event) => {
    const row = addRow(button.form, button.dataset.repeatAdd);
    if (row) { event.preventDefault(); row.querySelector("[name]").focus(); }
  });
  button.form?.addEventListener("wg:add-row", (event) => {
    if (event.detail === button.dataset.repeatAdd) addRow(button.form, event.detail);
  });
}

for (const input of document.querySelectorAll("input[data-file-names]")) {
  input.addEventListener("change", () => {
    const list = document.getElementById(input.dataset.fileNames);
    if (!list) return;
    const files = [...document.querySelectorAll(`input[data-file-names="${CSS.escape(list.id)}"]`)].flatMap((one) => [...one.files]);
    list.replaceChildren(...files.map((file) => {
      const item = document.createElement("li");
      item.textContent = `${file.name}（待上传，${file.size < 1048576 ? `${Math.max(1, Math.round(file.size / 1024))} KB` : `${(file.size / 1048576).toFixed(1)} MB`}）`;
      return item;
    }));
    list.hidden = files.length === 0;
  });
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const was = button.textContent;
      try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = "已复制"; }
      catch { button.textContent = "请手工复制"; }
      setTimeout(() => { button.textContent = was; }, 2000);
    });
  }
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

document.querySelector("[data-error-summary]")?.focus();
