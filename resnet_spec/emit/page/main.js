// What is picked, and how the page starts.

function pick(spec, wanted) {
  if (wanted) picked.add(spec);
  else picked.delete(spec);
  spec.box.checked = wanted;
  spec.row.classList.toggle("picked", wanted);
  if (wanted) byId("details").append(makeDetails(spec));
  else spec.article?.remove();
  byId("none-picked").hidden = picked.size > 0;
  byId("drop-all").hidden = picked.size < 2;
  compare();
  draw();
}

function setTheme() {
  document.documentElement.dataset.theme = byId("theme").value;
  draw();
}

const library = unpacked(byId("library").textContent); // beside what follows
byId("count").textContent = `${exact.format(data.specs.length)} networks`;
byId("theme").addEventListener("change", setTheme);
byId("drop-all").addEventListener("click", () => {
  [...picked].forEach((spec) => pick(spec, false));
  byId("picked").focus();
});
makeTable();
makeAxes();
filter();
requestAnimationFrame(() =>
  setTimeout(async () => {
    performance.mark("table"); // is on the screen
    makePlot(await library);
    performance.mark("plot");
  }),
);
