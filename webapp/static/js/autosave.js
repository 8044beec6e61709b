// Saves a draft while it is filled in, and checks the rules while one types.
//   form[data-autosave-url]    POSTs the form without files every 10 s after a change and when a field is left.
//                              Answers: 200 or 204 saved, JSON may hold saved_at ("14:05"), version (seen_version),
//                              message; 401 logged out, 409 changed elsewhere (JSON error).
//   [data-autosave-status]     says how it stands
//   form[data-live-check-url]  POSTs the form and shows the answer (HTML of our own server) in [data-live-check]
const EVERY = 10_000;

function body(form) {
  const data = new FormData(form);
  for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
  return data;
}

function send(url, form, accept) {
  const token = form.querySelector('[name="csrf_token"]')?.value || "";
  return fetch(url, {
    method: "POST", body: body(form), credentials: "same-origin", redirect: "manual",
    headers: { Accept: accept, "X-CSRFToken": token, "X-Requested-With": "fetch" },
  });
}

// After a new login in another tab the old token is worth nothing: take the one of a fresh copy of this page.
async function renewToken() {
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const token = page.querySelector('meta[name="csrf-token"]')?.content;
  if (!token || page.body.dataset.user !== document.body.dataset.user) return false;
  document.querySelectorAll('[name="csrf_token"]').forEach((one) => { one.value = token; });
  return true;
}

function clock() {
  return new Date().toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
}

function autosave(form) {
  const status = form.querySelector("[data-autosave-status]") || document.querySelector("[data-autosave-status]");
  let changed = false;
  let running = false;
  let loggedOut = false;
  let stopped = false;
  let timer;

  function say(text, trouble = false, href = "", link = "") {
    if (!status) return;
    status.textContent = text;
    status.classList.toggle("wg-autosave-trouble", trouble);
    if (href) {
      const anchor = document.createElement("a");
      anchor.href = href;
      anchor.target = "_blank";
      anchor.textContent = link;
      status.append(anchor);
    }
  }

  async function problem(answer) {
    let json = {};
    try { json = await answer.json(); } catch { /* a page, not JSON */ }
    if (answer.status === 401 || answer.type === "opaqueredirect") {
      loggedOut = true;
      say("登录已失效，填写的内容还在本页，没有丢失。请", true, json.login || document.body.dataset.login || "/", "在新窗口重新登录");
      status?.append("，再回到本页继续。");
    } else if (answer.status === 409) {
      stopped = true;
      say(json.error || "这份内容已在别处修改，本页不再自动保存。请复制需要的内容后刷新页面。", true);
    } else if (answer.status === 400 && !loggedOut) {
      loggedOut = true;
      await retry();
    } else {
      changed = true;
      say(json.error || "暂时保存不了，内容已在本机保留，稍后会再试。", true);
    }
  }

  async function save() {
    clearTimeout(timer);
    if (running || stopped || !changed || form.dataset.submitting) return;
    running = true;
    changed = false;
    try {
      const answer = await send(form.dataset.autosaveUrl, form, "application/json");
      if (answer.ok) {
        loggedOut = false;
        const json = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
        const version = form.querySelector('[name="seen_version"]');
        if (version && json.version !== undefined) version.value = json.version;
        if (!changed) form.dispatchEvent(new Event("wg:saved"));
        say(json.message || `已自动保存 ${json.saved_at || clock()}`);
      } else {
        changed = true;
        running = false;
        await problem(answer);
      }
    } catch {
      changed = true;
      say("没有连上服务器，内容已在本机保留，恢复后会自动保存。", true);
    } finally {
      running = false;
      if (changed && !loggedOut && !stopped) plan();
    }
  }

  function plan() {
    clearTimeout(timer);
    timer = setTimeout(save, EVERY);
  }

  async function retry() {
    if (loggedOut && await renewToken().catch(() => false)) {
      loggedOut = false;
      changed = true;
      await save();
    } else if (loggedOut) {
      say("登录已失效，填写的内容还在本页，没有丢失。请", true, document.body.dataset.login || "/", "在新窗口重新登录");
      status?.append("，再回到本页继续。");
    }
  }

  form.addEventListener("input", () => { if (!changed) { changed = true; plan(); } });
  form.addEventListener("change", () => { changed = true; save(); });
  window.addEventListener("focus", () => { if (loggedOut) retry(); });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") save(); else if (loggedOut) retry(); });
}

function liveCheck(form) {
  const panel = document.querySelector("[data-live-check]");
  if (!panel) return;
  let timer;
  let latest = 0;
  async function check() {
    const mine = ++latest;
    panel.setAttribute("aria-busy", "true");
    try {
      const answer = await send(form.dataset.liveCheckUrl, form, "text/html");
      const html = answer.ok ? await answer.text() : null;
      if (mine !== latest) return;
      if (html !== null) panel.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
    } catch { /* the last answer stays */ } finally {
      if (mine === latest) panel.removeAttribute("aria-busy");
    }
  }
  const soon = (wait) => { clearTimeout(timer); timer = setTimeout(check, wait); };
  form.addEventListener("input", () => soon(1200));
  form.addEventListener("change", () => soon(200));
}

document.querySelectorAll("form[data-autosave-url]").forEach(autosave);
document.querySelectorAll("form[data-live-check-url]").forEach(liveCheck);
