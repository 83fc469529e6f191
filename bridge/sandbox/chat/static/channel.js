// An open channel: its threads in order, older ones on demand, new ones as they come.

import { api, PAGE } from "./api.js";
import { composer } from "./composer.js";
import { byId, el } from "./dom.js";
import { ThreadView } from "./thread.js";
import { Typing } from "./typing.js";

const NEAR = 120;
const AGENT_CHANNEL = "agent";
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export class ChannelView {
  constructor(channel, { me, people, socket, tell }) {
    this.tell = tell;
    this.channel = channel;
    this.me = me;
    this.people = people;
    this.socket = socket;
    this.threads = new Map();
    this.oldest = "";
    this.news = "";
    this.place = byId("threads");
    this.scroller = byId("scroller");
    this.typists = new Typing((rootId) => this.drawTyping(rootId));
    this.open = true;
  }

  async show() {
    this.clear();
    this.drawTyping("");
    this.drawHead([]);
    this.drawComposer();
    byId("news").hidden = true;
    byId("empty").hidden = true;
    byId("earlier").hidden = true;
    byId("earlier").onclick = () => this.loadEarlier();
    byId("news").onclick = () => this.showNews();
    this.scroller.onscroll = () => this.inView(this.news) && (byId("news").hidden = true);
    await Promise.all([this.loadMembers(), this.load()]);
  }

  get isDirect() {
    return this.channel.type === "D";
  }

  get title() {
    return this.isDirect ? this.channel.display_name : `#${this.channel.display_name}`;
  }

  close() {
    this.open = false;
    this.typists.clear();
  }

  // Fetches the newest page; after a broken connection it brings what was missed.
  async load() {
    const page = await api.posts(this.channel.id);
    const first = !page.order.some((id) => this.find(id));
    const stay = first || this.atEnd();
    if (first) this.clear();
    await this.take(page);
    if (!this.open) return;
    if (first) {
      this.oldest = page.order.at(-1) ?? "";
      byId("earlier").hidden = page.order.length < PAGE;
    }
    this.drawEmpty();
    if (stay) this.toEnd();
  }

  // Between what is shown and the newest page there may be a hole: then the page begins anew.
  clear() {
    this.threads.clear();
    this.place.replaceChildren();
  }

  async loadEarlier() {
    const height = this.scroller.scrollHeight;
    const page = await api.posts(this.channel.id, this.oldest);
    await this.take(page);
    this.oldest = page.order.at(-1) ?? this.oldest;
    byId("earlier").hidden = page.order.length < PAGE;
    this.scroller.scrollTop += this.scroller.scrollHeight - height;
  }

  async loadMembers() {
    const members = await api.members(this.channel.id);
    await this.people.fetch(members.map((member) => member.user_id));
    if (!this.open) return;
    const bot = members.map((member) => member.user_id).find((id) => this.people.isBot(id));
    this.bot = this.isDirect || this.channel.name === AGENT_CHANNEL ? bot : undefined;
    this.drawHead(members);
    this.drawComposer();
    this.drawEmpty();
  }

  async take(page) {
    const posts = Object.values(page.posts).filter((post) => !post.delete_at);
    await this.people.fetch(posts.map((post) => post.user_id));
    if (!this.open) return;
    for (const post of posts) this.put(post);
  }

  // Shows a post that the socket or our own call has brought; the same one may come by both ways.
  async arrive(post) {
    await this.people.fetch([post.user_id]);
    if (!this.open) return;
    const known = this.threads.get(post.root_id || post.id)?.posts.has(post.id);
    const stay = this.atEnd() && this.isLast(post);
    this.typists.stop(post.user_id, post.root_id);
    this.put(post);
    this.drawEmpty();
    if (known) return;
    const mine = post.user_id === this.me.id;
    if (stay) this.toEnd();
    else if (mine) this.reveal(post.id);
    else this.announce(post);
  }

  put(post) {
    const rootId = post.root_id || post.id;
    let view = this.threads.get(rootId);
    if (!view) {
      view = new ThreadView(rootId, this);
      this.threads.set(rootId, view);
    }
    view.put(post);
    if (!view.node.isConnected || rootId === post.id) this.place_(view);
  }

  remove(post) {
    const rootId = post.root_id || post.id;
    const view = this.threads.get(rootId);
    if (!view) return;
    view.remove(post.id);
    if (view.isEmpty || rootId === post.id) {
      view.node.remove();
      this.threads.delete(rootId);
    }
    this.drawDays();
    this.drawEmpty();
  }

  place_(view) {
    const later = [...this.threads.values()]
      .filter((each) => each !== view && each.node.isConnected && each.at > view.at)
      .sort((a, b) => a.at - b.at)[0];
    this.place.insertBefore(view.node, later?.node ?? null);
    this.drawDays();
  }

  drawDays() {
    for (const old of this.place.querySelectorAll(":scope > .day")) old.remove();
    let last = "";
    for (const node of [...this.place.children]) {
      const name = dayName(this.threads.get(node.dataset.root).at);
      if (name !== last) this.place.insertBefore(el("div", { class: "day" }, el("span", {}, name)), node);
      last = name;
    }
  }

  drawHead(members) {
    byId("channel-name").textContent = this.channel.display_name;
    byId("channel-name").dataset.sign = this.isDirect ? "@" : "#";
    byId("channel-about").textContent = this.channel.header || this.channel.purpose || "";
    const shown = members.slice(0, 4).map((member) => this.people.avatar(member.user_id, "tiny"));
    const names = members.map((member) => this.people.name(member.user_id)).join(", ");
    const count = members.length ? `${members.length} ${members.length === 1 ? "member" : "members"}` : "";
    byId("members").replaceChildren(el("span", { class: "stack" }, shown), el("span", { class: "members-count" }, count));
    byId("members").title = names;
    document.title = this.title;
  }

  drawComposer() {
    const hint = this.bot ? `Ask ${this.isDirect ? "" : "@"}${this.people.username(this.bot)} something` : `Message ${this.title}`;
    if (this.box && byId("message")?.value) return;
    this.box = composer({
      id: "message",
      label: `Message ${this.title}`,
      placeholder: hint,
      onSend: (message, stamp, files) => this.send(message, "", stamp, files),
      onTyping: () => this.typing(""),
    });
    byId("composer").replaceChildren(this.box.node);
  }

  drawEmpty() {
    const place = byId("empty");
    place.hidden = [...this.threads.values()].some((view) => !view.isSystem);
    if (place.hidden) return;
    place.replaceChildren(el("h2", {}, `This is ${this.title}`), el("p", { class: "muted" }, this.channel.purpose || "Nothing has been written here yet."));
    if (!this.bot) return;
    const mention = this.isDirect ? "" : `@${this.people.username(this.bot)} `;
    const asks = ["who is on our team?", "how many shares are there, and who holds them?", "what documents do we have?"];
    place.append(el("div", { class: "asks" }, asks.map((ask) => el("button", { type: "button", click: () => this.box.write(mention + ask) }, mention + ask))));
  }

  drawTyping(rootId) {
    const line = this.typists.line(rootId, this.people);
    const view = this.threads.get(rootId);
    if (view) view.showTyping(line);
    else byId("typing").replaceChildren(...line);
  }

  async noteTyping(userId, rootId) {
    await this.people.fetch([userId]);
    const stay = this.atEnd();
    if (this.open) this.typists.note(userId, rootId);
    if (stay) this.toEnd();
  }

  async send(message, rootId, stamp, files) {
    const pending = `${this.me.id}:${stamp}`;
    const uploads = await Promise.all(files.map((file) => api.upload(this.channel.id, file)));
    const file_ids = uploads.map((upload) => upload.file_infos[0].id);
    const post = await api.send({ channel_id: this.channel.id, message, root_id: rootId, pending_post_id: pending, file_ids });
    await this.arrive(post);
  }

  // The server says what is wrong with a button; everything else comes as an event.
  async press(postId, actionId) {
    try {
      await api.press(postId, actionId);
    } catch (error) {
      this.tell(error.message);
    }
  }

  typing(rootId) {
    this.socket.send("user_typing", { channel_id: this.channel.id, parent_id: rootId });
  }

  // Scrolling.

  isLast(post) {
    return this.place.lastElementChild?.dataset.root === post.root_id || !post.root_id;
  }

  atEnd() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight < NEAR;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  find(postId) {
    return this.place.querySelector(`[data-post="${CSS.escape(postId)}"]`);
  }

  reveal(postId) {
    this.find(postId)?.scrollIntoView({ block: "nearest" });
  }

  inView(postId) {
    const shown = this.find(postId)?.getBoundingClientRect();
    const frame = this.scroller.getBoundingClientRect();
    return Boolean(shown && shown.top < frame.bottom - 20 && shown.bottom > frame.top + 20);
  }

  announce(post) {
    if (this.inView(post.id)) return;
    this.news = post.id;
    byId("news").textContent = `New message from ${this.people.name(post.user_id)}`;
    byId("news").hidden = false;
  }

  showNews() {
    byId("news").hidden = true;
    const node = this.find(this.news);
    node?.scrollIntoView({ block: "center", behavior: "smooth" });
    node?.classList.add("flash");
    setTimeout(() => node?.classList.remove("flash"), 1600);
  }
}

function dayName(milliseconds) {
  const date = new Date(milliseconds);
  const today = new Date();
  const yesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1);
  if (date.toDateString() === today.toDateString()) return "Today";
  if (date.toDateString() === yesterday.toDateString()) return "Yesterday";
  return day.format(date);
}
