// Makes elements. Text only ever becomes a text node, so nothing that somebody writes can become markup.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

const PATHS = {
  menu: "M3 5h14M3 10h14M3 15h14",
  send: "M10 16V4.500M5 9.500l5-5 5 5",
  reply: "M8 4.500 3 9l5 4.500M3.500 9H11c3.500 0 6 2 6 6",
  leave: "M8 3.500H4.500v13H8M12.500 6.500 16 10l-3.500 3.500M8 10h8",
  attach: "M14.500 9.500 9 15a3.200 3.200 0 0 1-4.500-4.500l6-6a2.100 2.100 0 0 1 3 3l-6 6a1 1 0 0 1-1.500-1.500l5-5",
  spark: "M10 3v3M6.500 6h7A2.500 2.500 0 0 1 16 8.500v5a2.500 2.500 0 0 1-2.500 2.500h-7A2.500 2.500 0 0 1 4 13.500v-5A2.500 2.500 0 0 1 6.500 6zM8 10.200v1.600M12 10.200v1.600",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

export const byId = (id) => document.getElementById(id);
