// The stylesheets that every page begins with, in order; paths from a page's own folder.
export const LOOK = [
  "../vendor/uplot/uPlot.min.css",
  "../shared/base.css",
  "../playground/intro.css",
  "../playground/controls.css",
  "../playground/bars.css",
  "../playground/plots.css",
  "../playground/side.css",
  "../playground/editor.css",
  "../playground/presenter.css",
];
