// Message attachments: a title that leads somewhere, fields, a coloured edge, a footer.

import { el } from "./dom.js";
import { markdown } from "./markdown.js";

const COLOR = /^#[0-9a-f]{6}$/i;

export function attachments(post) {
  const given = Array.isArray(post.props?.attachments) ? post.props.attachments : [];
  return given.map(drawn);
}

function drawn(attachment) {
  const card = el(
    "section",
    { class: "attachment" },
    attachment.author_name ? el("p", { class: "attachment-author" }, attachment.author_name) : null,
    title(attachment),
    attachment.text ? el("div", { class: "body" }, markdown(attachment.text)) : null,
    attachment.fields?.length ? el("dl", {}, attachment.fields.map(field)) : null,
    attachment.footer ? el("footer", {}, attachment.footer) : null,
  );
  if (COLOR.test(attachment.color ?? "")) card.style.setProperty("--edge", attachment.color);
  return card;
}

function title({ title: text, title_link: link }) {
  if (!text) return null;
  const leads = /^https?:\/\//.test(link ?? "");
  return el("h3", {}, leads ? el("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, text) : text);
}

function field({ title: name, value }) {
  return el("div", {}, el("dt", {}, String(name)), el("dd", {}, markdown(String(value))));
}
