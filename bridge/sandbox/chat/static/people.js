// Who is who: accounts by id, fetched once, and how they are shown.

import { api } from "./api.js";
import { el, icon } from "./dom.js";

const HUES = [8, 32, 48, 96, 150, 178, 200, 222, 258, 290, 322, 345];

export class People {
  constructor() {
    this.known = new Map();
  }

  add(user) {
    this.known.set(user.id, user);
  }

  async fetch(ids) {
    const missing = [...new Set(ids)].filter((id) => !this.known.has(id));
    if (!missing.length) return;
    for (const user of await api.users(missing)) this.add(user);
  }

  isBot(id) {
    return Boolean(this.known.get(id)?.is_bot);
  }

  name(id) {
    const user = this.known.get(id);
    if (!user) return "Somebody";
    return [user.first_name, user.last_name].filter(Boolean).join(" ") || user.nickname || user.username;
  }

  username(id) {
    return this.known.get(id)?.username ?? "";
  }

  avatar(id, size = "") {
    if (this.isBot(id)) return el("span", { class: `avatar bot ${size}`, "aria-hidden": "true" }, icon("spark"));
    return avatar(this.name(id), this.username(id), size);
  }
}

export function avatar(name, seed, size = "") {
  const node = el("span", { class: `avatar ${size}`, "aria-hidden": "true" }, initials(name));
  node.style.setProperty("--hue", HUES[hash(seed) % HUES.length]);
  return node;
}

export function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => [...(word ?? "")][0] ?? "").join("").toUpperCase();
}

function hash(text) {
  let sum = 7;
  for (const character of text) sum = (sum * 31 + character.codePointAt(0)) >>> 0;
  return sum;
}
