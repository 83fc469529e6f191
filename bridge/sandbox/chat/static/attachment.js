// Message attachments: a title that leads somewhere, fields, buttons, a coloured edge, a footer.

import { el } from "./dom.js";
import { markdown } from "./markdown.js";

const STYLES = new Set(["good", "danger"]);
const COLOR = /^#[0-9a-f]{6}$/i;

// `press(actionId)` is called for a button, and returns a promise.
export function attachments(post, press) {
  const given = Array.isArray(post.props?.attachments) ? post.props.attachments : [];
  return given.map((attachment) => drawn(attachment, press));
}

function drawn(attachment, press) {
  const card = el(
    "section",
    { class: "attachment" },
    attachment.author_name ? el("p", { class: "attachment-author" }, attachment.author_name) : null,
    title(attachment),
    attachment.text ? el("div", { class: "body" }, markdown(attachment.text)) : null,
    attachment.fields?.length ? el("dl", {}, attachment.fields.map(field)) : null,
    attachment.actions?.length ? el("div", { class: "actions" }, attachment.actions.map((action) => button(action, press))) : null,
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

function button({ id, name, style }, press) {
  const node = el("button", { type: "button", class: STYLES.has(style) ? style : "" }, name);
  node.addEventListener("click", async () => {
    node.disabled = true;
    await press(id);
    node.disabled = false;
  });
  return node;
}

function field({ title: name, value }) {
  return el("div", {}, el("dt", {}, String(name)), el("dd", {}, markdown(String(value))));
}
