// Makes elements. Text only ever becomes a text node, so nothing that somebody is called can become markup.

const HUES = [8, 32, 48, 96, 150, 178, 200, 222, 258, 290, 322, 345];

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function avatar(name, seed, size = "") {
  const node = el("span", { class: `avatar ${size}`, "aria-hidden": "true" }, initials(name));
  node.style.setProperty("--hue", HUES[sum(seed) % HUES.length]);
  return node;
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
}

function sum(text) {
  return [...text].reduce((total, character) => (total * 31 + character.codePointAt(0)) >>> 0, 7);
}
