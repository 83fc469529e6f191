// Markdown into nodes: the part of it that people and agents use in chat. Builds elements, never HTML text.

import { el } from "./dom.js";

const DEEPEST = 6;
const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)\s*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.+?)\s*#*\s*$/;
const RULE = /^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(\s+)(.*)$/;
const COLUMNS = /^ *\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$/;
const LINK = /\[([^[\]\n]{1,300})\]\(([^()\s]{1,2000}(?:\([^()\s]*\)[^()\s]*)?)\)/y;
const URL_ = /https?:\/\/[^\s<>"'`|]+/y;
const MENTION = /@[a-z0-9][a-z0-9._-]*/iy;
const PUNCTUATION = /[!-/:-@[-`{-~]/;

export function markdown(text) {
  return blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0);
}

function blocks(lines, depth) {
  const nodes = document.createDocumentFragment();
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at += 1;
      continue;
    }
    const [node, next] = block(lines, at, depth);
    nodes.append(node);
    at = next;
  }
  return nodes;
}

function block(lines, at, depth) {
  const line = lines[at];
  const fence = line.match(FENCE);
  if (fence) return code(lines, at, fence);
  const heading = line.match(HEADING);
  if (heading) return [el(`h${Math.min(6, heading[1].length + 2)}`, {}, inline(heading[2])), at + 1];
  if (RULE.test(line)) return [el("hr"), at + 1];
  if (depth < DEEPEST && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEEPEST && ITEM.test(line)) return list(lines, at, depth);
  if (isTable(lines, at)) return table(lines, at);
  return paragraph(lines, at, depth);
}

function code(lines, at, [, mark, language]) {
  const closes = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}\\s*$`);
  let end = at + 1;
  while (end < lines.length && !closes.test(lines[end])) end += 1;
  const text = lines.slice(at + 1, end).join("\n");
  return [el("pre", { "data-language": language || null, tabindex: "0" }, el("code", {}, text)), end + 1];
}

function quote(lines, at, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [el("blockquote", {}, blocks(inner, depth + 1)), end];
}

function list(lines, at, depth) {
  const [, indent, mark] = lines[at].match(ITEM);
  const ordered = /\d/.test(mark);
  const items = [];
  let end = at;
  while (end < lines.length) {
    const item = lines[end].match(ITEM);
    if (!item || item[1].length > indent.length + 3 || /\d/.test(item[2]) !== ordered) break;
    const width = item[1].length + item[2].length + 1;
    const inner = [item[4]];
    end += 1;
    while (end < lines.length && belongs(lines, end, width)) inner.push(lines[end++].slice(Math.min(width, 99)));
    items.push(el("li", {}, tight(inner, depth)));
    while (end < lines.length && !lines[end].trim() && ITEM.test(lines[end + 1] ?? "")) end += 1;
  }
  return [el(ordered ? "ol" : "ul", { start: ordered ? parseInt(mark, 10) : null }, items), end];
}

function belongs(lines, at, width) {
  const line = lines[at].trim() ? lines[at] : (lines[at + 1] ?? "");
  return line.startsWith(" ".repeat(Math.min(width, 2))) && line.trim() !== "";
}

// An item of one paragraph stands without the space that paragraphs have between them.
function tight(lines, depth) {
  const inner = blocks(lines, depth + 1);
  const [first] = inner.children;
  if (first?.tagName === "P") first.replaceWith(...first.childNodes);
  return inner;
}

function isTable(lines, at) {
  return lines[at].includes("|") && (lines[at + 1] ?? "").includes("-") && COLUMNS.test(lines[at + 1] ?? "");
}

function table(lines, at) {
  const aligns = cells(lines[at + 1]).map((cell) => (/-:$/.test(cell) ? (cell.startsWith(":") ? "center" : "right") : null));
  const row = (line, tag) =>
    el("tr", {}, cells(line).slice(0, aligns.length).map((cell, i) => el(tag, { "data-align": aligns[i] }, inline(cell))));
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const body = lines.slice(at + 2, end).map((line) => row(line, "td"));
  const whole = el("table", {}, el("thead", {}, row(lines[at], "th")), el("tbody", {}, body));
  return [el("div", { class: "table", tabindex: "0" }, whole), end];
}

function cells(line) {
  return line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
}

function paragraph(lines, at, depth) {
  let end = at + 1;
  while (end < lines.length && lines[end].trim() && !startsBlock(lines, end, depth)) end += 1;
  return [el("p", {}, inline(lines.slice(at, end).join("\n").trim())), end];
}

function startsBlock(lines, at, depth) {
  const line = lines[at];
  if (FENCE.test(line) || HEADING.test(line) || isTable(lines, at)) return true;
  return depth < DEEPEST && (QUOTE.test(line) || ITEM.test(line));
}

// Within a line.

function inline(text, depth = 0) {
  const nodes = [];
  let plain = "";
  let at = 0;
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = "";
  };
  while (at < text.length) {
    const found = depth < DEEPEST && special(text, at, depth);
    if (found) {
      flush();
      nodes.push(found[0]);
      at = found[1];
    } else {
      plain += text[at++];
    }
  }
  flush();
  return nodes;
}

function special(text, at, depth) {
  switch (text[at]) {
    case "\n":
      return [el("br"), at + 1];
    case "\\":
      return PUNCTUATION.test(text[at + 1] ?? "") && [document.createTextNode(text[at + 1]), at + 2];
    case "`":
      return inlineCode(text, at);
    case "*":
    case "_":
    case "~":
      return emphasis(text, at, depth);
    case "[":
      return link(text, at, depth);
    case "h":
      return address(text, at);
    case "@":
      return mention(text, at);
    default:
      return null;
  }
}

function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function inlineCode(text, at) {
  const mark = match(/`+/y, text, at)[0];
  const end = text.indexOf(mark, at + mark.length);
  if (end < 0) return [document.createTextNode(mark), at + mark.length];
  return [el("code", {}, text.slice(at + mark.length, end).trim()), end + mark.length];
}

const EMPHASIS = { "**": "strong", __: "strong", "~~": "del", "*": "em", _: "em" };

function emphasis(text, at, depth) {
  const mark = text[at] === text[at + 1] ? text.slice(at, at + 2) : text[at];
  const tag = EMPHASIS[mark];
  const start = at + mark.length;
  if (!tag || !/\S/.test(text[start] ?? "") || (mark[0] === "_" && /\w/.test(text[at - 1] ?? ""))) return null;
  let end = text.indexOf(mark, start + 1);
  while (end >= 0 && (/\s/.test(text[end - 1]) || (mark === "*" && text[end + 1] === "*"))) {
    end = text.indexOf(mark, end + mark.length + (mark === "*" ? 1 : 0));
  }
  if (end < 0) return null;
  return [el(tag, {}, inline(text.slice(start, end), depth + 1)), end + mark.length];
}

function link(text, at, depth) {
  const found = match(LINK, text, at);
  if (!found) return null;
  return [anchor(found[2], inline(found[1], depth + 1)), at + found[0].length];
}

function address(text, at) {
  const found = !/\w/.test(text[at - 1] ?? "") && match(URL_, text, at);
  if (!found) return null;
  const url = found[0].replace(/[.,;:!?)\]*_~]+$/, "");
  return [anchor(url, [url]), at + url.length];
}

function anchor(url, children) {
  if (!/^(?:https?:\/\/|mailto:)/i.test(url)) return el("span", {}, children, ` (${url})`);
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, children);
}

function mention(text, at) {
  const found = !/[\w.]/.test(text[at - 1] ?? "") && match(MENTION, text, at);
  if (!found) return null;
  const name = found[0].replace(/[.-]+$/, "");
  return [el("span", { class: "mention" }, name), at + name.length];
}
