// Keeps what is typed in this tab until the server has it: a session that ends, a page that fails, a tab that is
// reloaded lose nothing. Only in sessionStorage (gone with the tab), under the person's key, never passwords, files or
// tokens. Forms take part by data-keep or data-autosave-url; data-keep="sent": the page that answers carries all that
// was sent (a list whose pages are buttons), so nothing is put back over it. Others listen to and send:
//   wg:saved   on a form: the server has everything, forget the copy
const PREFIX = "wg:kept:";
const user = document.body.dataset.user || "";
const here = location.pathname;

function store(key, value) {
  try {
    if (value === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, JSON.stringify(value));
  } catch { /* full or forbidden: the page works without */ }
}

function read(key) {
  try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; }
}

function controls(form) {
  return [...form.elements].filter((one) => one.name && one.name !== "csrf_token" && !one.disabled
    && !["password", "file", "hidden", "submit", "button"].includes(one.type));
}

function contents(form) {
  const found = {};
  for (const one of controls(form)) {
    found[one.name] ??= [];
    if (one.type === "checkbox" || one.type === "radio") { if (one.checked) found[one.name].push(one.value); }
    else found[one.name].push(one.value);
  }
  return found;
}

function put(form, kept) {
  let changed = false;
  for (const name of Object.keys(kept)) {
    while (/-\d+-problem$/.test(name) && !form.elements[name] && form.querySelector("[data-repeat-add]")) {
      const before = form.elements.length;
      form.dispatchEvent(new CustomEvent("wg:add-row", { detail: name.replace(/-\d+-problem$/, "") }));
      if (form.elements.length === before) break;
    }
  }
  const seen = {};
  for (const one of controls(form)) {
    const values = kept[one.name];
    if (!values) continue;
    if (one.type === "checkbox" || one.type === "radio") {
      const checked = values.includes(one.value);
      if (one.checked !== checked) { one.checked = checked; changed = true; }
    } else {
      const index = seen[one.name] ?? 0;
      seen[one.name] = index + 1;
      if (index < values.length && one.value !== values[index]) { one.value = values[index]; changed = true; }
    }
  }
  return changed;
}

function tell(form, at, original) {
  const box = document.createElement("div");
  box.className = "wg-alert wg-alert-warning";
  box.setAttribute("role", "status");
  const text = document.createElement("p");
  text.textContent = `已恢复您 ${at} 填写、还没有保存的内容，请核对后继续。`;
  const undo = document.createElement("button");
  undo.type = "button";
  undo.className = "wg-link-button";
  undo.textContent = "不用恢复，回到已保存的内容";
  undo.addEventListener("click", () => {
    put(form, original);
    form.dispatchEvent(new Event("wg:saved"));
    form.dispatchEvent(new Event("change", { bubbles: true }));
    box.remove();
  });
  box.append(text, undo);
  form.before(box);
}

function hours() {
  return new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
}

function follow(form, number) {
  const key = `${PREFIX}${user}:${here}:${form.id || number}`;
  const kept = read(key);
  if (kept) {
    const original = contents(form);
    if (put(form, kept.values)) {
      tell(form, kept.at, original);
      form.dispatchEvent(new Event("change", { bubbles: true }));
    }
    store(key, { ...kept, sent: false });
  }
  let waiting;
  const keep = () => store(key, { values: contents(form), at: hours(), sent: false });
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(keep, 300); });
  form.addEventListener("change", keep);
  form.addEventListener("wg:saved", () => { clearTimeout(waiting); store(key, null); });
  form.addEventListener("submit", () => {
    clearTimeout(waiting);
    store(key, { values: contents(form), at: hours(), sent: true });
  });
}

// A copy that was sent, and after which another page of the same person came, arrived. A login or error page means
// that it may not have. What another person typed in this tab is forgotten as soon as somebody else is logged in.
function tidy() {
  const arrived = user && !("error" in document.body.dataset);
  for (const key of Object.keys(sessionStorage).filter((one) => one.startsWith(PREFIX))) {
    const kept = read(key);
    const own = key.startsWith(`${PREFIX}${user}:`);
    if (!kept || (user && !own)) store(key, null);
    else if (kept.sent && arrived && (!key.startsWith(`${PREFIX}${user}:${here}:`) || carried(key))) store(key, null);
    else if (kept.sent) store(key, { ...kept, sent: false });
  }
}

// Whether this page is the answer to what was sent, with all of it.
function carried(key) {
  const form = document.getElementById(key.slice(`${PREFIX}${user}:${here}:`.length));
  return form?.dataset.keep === "sent";
}

try { tidy(); } catch { /* no storage */ }
if (user) {
  document.querySelectorAll("form[data-keep], form[data-autosave-url]").forEach(follow);
  document.querySelectorAll('form[action$="logout"]').forEach((form) => form.addEventListener("submit", () => {
    for (const key of Object.keys(sessionStorage).filter((one) => one.startsWith(PREFIX))) store(key, null);
  }));
}
