// Deciding: the button says what will happen, stock phrases go into the opinion, rows are decided in bulk.

for (const form of document.querySelectorAll("form[data-decision]")) {
  const button = form.querySelector("[data-decision-button]");
  const opinion = form.querySelector("[data-opinion-field]");
  const optional = form.querySelector("[data-opinion-optional]");
  const lists = [...form.querySelectorAll("[data-phrases-for]")];
  const area = form.querySelector('[name="opinion"]');
  const unchosen = button.textContent;

  for (const list of lists) {
    list.className = "wg-phrases";
    for (const item of list.querySelectorAll("[data-phrase]")) {
      const phrase = document.createElement("button");
      phrase.type = "button";
      phrase.className = "wg-phrase";
      phrase.textContent = item.textContent;
      phrase.addEventListener("click", () => {
        const start = area.selectionStart ?? area.value.length;
        area.setRangeText(phrase.textContent, start, area.selectionEnd ?? start, "end");
        area.dispatchEvent(new Event("input", { bubbles: true }));
        area.focus();
      });
      item.replaceChildren(phrase);
    }
  }

  const update = () => {
    const chosen = form.querySelector('[name="outcome"]:checked');
    button.textContent = chosen ? chosen.dataset.label : unchosen;
    button.classList.toggle("wg-button-danger", chosen?.dataset.tone === "danger");
    for (const list of lists) list.hidden = Boolean(chosen) && list.dataset.phrasesFor !== chosen.value;
    if (opinion) opinion.hidden = chosen?.dataset.opinion === "none";
    if (optional && chosen) optional.textContent = chosen.dataset.opinion === "required" ? "" : "（选填）";
  };
  form.addEventListener("change", update);
  update();
}

for (const form of document.querySelectorAll("form[data-verdicts]")) {
  const all = form.querySelector("[data-select-all]");
  const boxes = [...form.querySelectorAll(`input[name="${all?.dataset.selectAll || "row"}"]`)];
  const count = form.querySelector("[data-selected-count]");
  const bulk = [...form.querySelectorAll('button[name="bulk"]')];
  const update = () => {
    const number = boxes.filter((one) => one.checked).length;
    if (count) count.textContent = number ? `已选 ${number} 人：` : "先勾选人员，再选择：";
    if (all) { all.checked = number > 0 && number === boxes.length; all.indeterminate = number > 0 && number < boxes.length; }
    bulk.forEach((one) => one.setAttribute("aria-disabled", String(number === 0)));
  };
  if (all && boxes.length) {
    all.hidden = false;
    form.querySelector("[data-select-all-label]").hidden = false;
    all.addEventListener("change", () => { boxes.forEach((one) => { one.checked = all.checked; }); update(); });
  }
  boxes.forEach((one) => one.addEventListener("change", update));
  form.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="bulk"]');
    if (!button) return;
    if (!boxes.some((one) => one.checked)) { event.preventDefault(); boxes[0]?.focus(); return; }
    const reason = form.querySelector('[name="bulk_reason"]');
    if (button.value === "refuse" && reason && !reason.value.trim()) { event.preventDefault(); reason.focus(); }
  });
  // A reason is asked of a refusal, and of lifting a hold.
  const reasons = () => {
    for (const row of form.querySelectorAll("[data-verdict]")) {
      const word = row.querySelector("input:checked")?.value;
      row.querySelector("[data-verdict-reason]").hidden = !word || (word !== "refuse" && !row.hasAttribute("data-verdict-held"));
    }
  };
  form.addEventListener("change", reasons);
  reasons();
  update();
}
