// Long work: asks [data-progress-url] every two seconds for {done, total, text, finished, href} and goes to href at the end.
for (const box of document.querySelectorAll("[data-progress-url]")) {
  const bar = box.querySelector("progress");
  const count = box.querySelector("[data-progress-count]");
  const text = box.querySelector("[data-progress-text]");
  let failures = 0;
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.progressUrl, { credentials: "same-origin", headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const state = await answer.json();
      failures = 0;
      bar.max = state.total || 1;
      bar.value = state.done;
      count.textContent = `${state.done} / ${state.total}`;
      if (state.text !== undefined && text.textContent !== state.text) text.textContent = state.text;
      if (state.finished) {
        if (state.href) location.replace(state.href);
        return;
      }
    } catch {
      failures += 1;
      if (failures === 3) text.textContent = "暂时查不到进度，处理仍在进行，请稍后刷新本页。";
    }
    setTimeout(ask, Math.min(2000 * (failures + 1), 15_000));
  };
  setTimeout(ask, 1000);
}
