// Files: picked beside the box in which one writes, and shown below their post.

import { el, icon } from "./dom.js";

const UNITS = ["B", "KB", "MB", "GB"];

// What has been picked for the next message; `onChange` is called whenever that changes.
export function picker(onChange) {
  const input = el("input", { type: "file", multiple: true, hidden: true, "aria-label": "Files" });
  const button = el("button", { class: "quiet attach", type: "button", "aria-label": "Attach files", title: "Attach files", click: () => input.click() }, icon("attach"));
  const chips = el("ul", { class: "picked" });
  let files = [];

  const set = (next) => {
    files = next;
    input.value = "";
    chips.replaceChildren(...files.map((file) => chip(file, () => set(files.filter((each) => each !== file)))));
    onChange();
  };
  input.addEventListener("change", () => set([...files, ...input.files]));
  return { button, input, chips, clear: () => set([]), get files() { return files; } };
}

function chip(file, onRemove) {
  const remove = el("button", { type: "button", "aria-label": `Remove ${file.name}`, click: onRemove }, "×");
  return el("li", {}, file.name, remove);
}

// The files of a post, as links.
export function filesOf(post) {
  const files = post.metadata?.files ?? [];
  if (!files.length) return null;
  return el("ul", { class: "files" }, files.map((file) => el("li", {}, link(file), el("span", { class: "muted" }, size(file.size)))));
}

function link(file) {
  return el("a", { href: `/api/v4/files/${encodeURIComponent(file.id)}`, download: file.name }, file.name);
}

function size(bytes) {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  return `${Math.round(bytes / 1024 ** power)} ${UNITS[power]}`;
}
