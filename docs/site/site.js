// What scrolls sideways is reached by the keyboard; the theme wraps tables after this has run.
const watched = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const frame = target.closest(".md-typeset__scrollwrap, p");
    if (frame?.scrollWidth > frame?.clientWidth) frame.tabIndex = 0;
  }
});
document.querySelectorAll(".md-typeset table, .md-typeset p > img").forEach((part) => watched.observe(part));
