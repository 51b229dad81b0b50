// Icons as paths in a 24 × 24 box, drawn in the colour of the text around them.
const PATHS = {
  restart: "M6 5h2.5v14H6zM20 5v14L9.5 12z",
  back: "M15.5 5v14L6 12zM17 5h2v14h-2z",
  play: "M7 4.5v15l13-7.5z",
  pause: "M6 5h4.2v14H6zM13.8 5H18v14h-4.2z",
  forward: "M8.5 5v14l9.5-7zM5 5h2v14H5z",
  undo: "M9 5 3.5 10 9 15v-3.4h5.2c2.3 0 3.8 1.4 3.8 3.4s-1.5 3.4-3.8 3.4H9V21h5.4c3.6 0 6.1-2.500 6.100-6s-2.500-6-6.100-6H9z",
  redo: "M15 5 20.5 10 15 15v-3.4H9.8c-2.3 0-3.8 1.4-3.8 3.4s1.5 3.4 3.8 3.4H15V21H9.6C6 21 3.500 18.500 3.500 15s2.500-6 6.100-6H15z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
