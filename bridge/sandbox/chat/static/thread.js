// A thread on the page: its first post, the replies under it, and the box to reply in.

import { attachments } from "./attachment.js";
import { composer } from "./composer.js";
import { el, icon } from "./dom.js";
import { filesOf } from "./files.js";
import { markdown } from "./markdown.js";

const SAME_BREATH = 5 * 60_000;
const EPHEMERAL = "system_ephemeral";
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

export class ThreadView {
  // `chat` gives `people`, `send(message, rootId, stamp, files)`, `press(postId, actionId)` and `typing(rootId)`.
  constructor(rootId, chat) {
    this.rootId = rootId;
    this.chat = chat;
    this.posts = new Map();
    this.root = el("div", { class: "root" });
    this.replies = el("div", { class: "replies" });
    this.typists = el("p", { class: "typing in-thread" });
    this.replyButton = el("button", { class: "quiet reply", type: "button", click: () => this.openReply() }, icon("reply"), "Reply");
    this.foot = el("div", { class: "thread-foot" }, this.replyButton);
    this.node = el("article", { class: "thread", "data-root": rootId }, this.root, this.replies, this.typists, this.foot);
  }

  get at() {
    return this.posts.get(this.rootId)?.create_at ?? Math.min(...[...this.posts.values()].map((post) => post.create_at));
  }

  put(post) {
    this.posts.set(post.id, post);
    this.draw();
  }

  remove(postId) {
    this.posts.delete(postId);
    this.draw();
  }

  get isSystem() {
    return Boolean(this.posts.get(this.rootId)?.type);
  }

  get isEmpty() {
    return this.posts.size === 0;
  }

  showTyping(line) {
    this.typists.replaceChildren(...line);
  }

  draw() {
    const inOrder = [...this.posts.values()].sort((a, b) => a.create_at - b.create_at || (a.id < b.id ? -1 : 1));
    const root = this.posts.get(this.rootId);
    this.root.replaceChildren(...(root ? [this.drawn(root)] : []));
    const replies = inOrder.filter((post) => post.id !== this.rootId);
    this.replies.replaceChildren(...replies.map((post, i) => this.drawn(post, replies[i - 1])));
    this.foot.hidden = this.isSystem;
    this.node.classList.toggle("talking", replies.length > 0);
    this.node.classList.toggle("system-only", this.isSystem);
  }

  drawn(post, before) {
    if (post.type === EPHEMERAL) return el("p", { class: "system", "data-post": post.id }, `Only you can see this: ${post.message}`);
    if (post.type) return el("p", { class: "system", "data-post": post.id }, post.message);
    const { people } = this.chat;
    const follows = before && before.user_id === post.user_id && post.create_at - before.create_at < SAME_BREATH;
    const when = new Date(post.create_at);
    const time = el("time", { datetime: when.toISOString(), title: full.format(when) }, clock.format(when));
    const badge = people.isBot(post.user_id) ? el("span", { class: "badge" }, "Bot") : null;
    const head = el("header", {}, el("span", { class: "author", title: `@${people.username(post.user_id)}` }, people.name(post.user_id)), badge, time);
    const edited = post.edit_at ? el("span", { class: "edited" }, "(edited)") : null;
    const body = el("div", { class: "body" }, markdown(post.message));
    return el(
      "div",
      { class: `post${follows ? " follows" : ""}${people.isBot(post.user_id) ? " by-bot" : ""}`, "data-post": post.id },
      people.avatar(post.user_id, post.root_id ? "small" : ""),
      el("div", { class: "post-main" }, head, body, filesOf(post), attachments(post, (id) => this.chat.press(post.id, id)), edited),
    );
  }

  openReply() {
    if (!this.box) {
      this.box = composer({
        label: "Reply in this thread",
        placeholder: "Reply…",
        onSend: (message, stamp, files) => this.chat.send(message, this.rootId, stamp, files),
        onTyping: () => this.chat.typing(this.rootId),
        onEscape: () => this.closeReply(),
      });
      this.foot.replaceChildren(this.box.node);
      this.foot.classList.add("open");
    }
    this.box.focus();
    this.foot.scrollIntoView({ block: "nearest" });
  }

  closeReply() {
    this.box = null;
    this.foot.replaceChildren(this.replyButton);
    this.foot.classList.remove("open");
    this.replyButton.focus();
  }
}
