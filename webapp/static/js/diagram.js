// A diagram is wider than most screens: it opens where the case is now. Without scripts it opens at its beginning.
for (const frame of document.querySelectorAll(".wg-diagram-scroll")) {
  const now = frame.querySelector(".current");
  if (!now) continue;
  const place = now.getBoundingClientRect();
  const seen = frame.getBoundingClientRect();
  frame.scrollLeft += place.left + place.width / 2 - (seen.left + seen.width / 2);
  frame.scrollTop += place.top + place.height / 2 - (seen.top + seen.height / 2);
}
