// What scrolls by itself can be reached, and scrolled, by keys.
function reachWhatScrolls() {
  for (const node of document.querySelectorAll("pre, .cell_output, .table-wrapper, .formula, .sig")) {
    if (node.scrollWidth > node.clientWidth) node.tabIndex = 0;
    else node.removeAttribute("tabindex");
  }
}

reachWhatScrolls();
addEventListener("resize", reachWhatScrolls);
addEventListener("load", reachWhatScrolls);
