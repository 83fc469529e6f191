// Puts the page together: who one is, where one is, and what the socket tells.

import { api } from "./api.js";
import { ChannelView } from "./channel.js";
import { byId, icon } from "./dom.js";
import { People } from "./people.js";
import { drawSidebar } from "./sidebar.js";
import { showSignIn } from "./signin.js";
import { Socket } from "./socket.js";

const MEMBERSHIP_EVENTS = new Set([
  "added_to_team", "leave_team", "update_team", "delete_team", "restore_team", "user_added", "user_removed",
  "channel_created", "channel_deleted", "channel_updated", "channel_restored", "channel_converted",
]);

class App {
  constructor() {
    this.people = new People();
    this.unread = new Map();
    this.teams = [];
    this.channels = [];
  }

  async start() {
    try {
      this.me = await api.me();
    } catch (error) {
      return this.signIn(error);
    }
    this.people.add(this.me);
    byId("sign-in").hidden = true;
    byId("chat").hidden = false;
    this.socket = new Socket({
      onEvent: (name, data, broadcast) => this.hear(name, data, broadcast),
      onOpen: () => this.guard(() => this.catchUp()),
      onLost: () => this.lost(),
    });
    await this.guard(() => this.go(location.pathname, false));
  }

  signIn(error) {
    this.stop();
    byId("chat").hidden = true;
    byId("sign-in").hidden = false;
    if (error?.status !== 401) return this.retryLater(error);
    return showSignIn(byId("sign-in"), () => this.start());
  }

  retryLater(error) {
    byId("sign-in").textContent = error.message;
    setTimeout(() => this.start(), 3000);
  }

  stop() {
    this.socket?.close();
    this.view?.close();
    this.socket = this.view = this.channel = this.team = null;
    this.unread.clear();
  }

  // Runs what speaks to the server; a session that has ended leads back to the door.
  async guard(work) {
    try {
      await work();
    } catch (error) {
      if (error.status === 401) await this.signIn(error);
      else if (error.status !== undefined) this.tell(error.message);
      else throw error;
    }
  }

  tell(sentence) {
    byId("trouble").textContent = sentence;
    byId("trouble").hidden = !sentence;
  }

  async lost() {
    this.tell("The connection was lost. Trying again…");
    await api.me().catch((error) => error.status === 401 && this.signIn(error));
  }

  async catchUp() {
    this.tell("");
    if (!this.view) return;
    await this.refresh();
    await this.view?.load();
  }

  async refresh() {
    this.teams = (await api.teams()).filter((team) => !team.delete_at);
    if (!this.teams.some((team) => team.id === this.team?.id)) return this.go("/", true);
    this.channels = await this.channelsOf(this.team);
    if (!this.channels.some((channel) => channel.id === this.channel?.id)) return this.go(`/${this.team.name}`, true);
    return this.draw();
  }

  async channelsOf(team) {
    const channels = await api.channels(team.id);
    const direct = await this.directOf(channels);
    return channels
      .filter((channel) => !channel.delete_at && "OP".includes(channel.type))
      .sort((a, b) => (b.name === "town-square") - (a.name === "town-square") || a.display_name.localeCompare(b.display_name))
      .concat(direct);
  }

  // The direct channels with bots, named after them.
  async directOf(channels) {
    const others = channels
      .filter((channel) => channel.type === "D")
      .map((channel) => [channel, channel.name.split("__").find((id) => id !== this.me.id) ?? this.me.id]);
    await this.people.fetch(others.map(([, id]) => id));
    return others
      .filter(([, id]) => this.people.isBot(id))
      .map(([channel, id]) => ({ ...channel, display_name: this.people.name(id) }));
  }

  // Goes to a path such as /acme-corp/channels/agent, or to what is nearest to it.
  async go(path, push = true) {
    const [teamName, , channelName] = path.split("/").filter(Boolean).map(decodeURIComponent);
    this.teams = (await api.teams()).filter((team) => !team.delete_at);
    this.team = this.teams.find((team) => team.name === teamName) ?? this.teams[0];
    if (!this.team) {
      this.channels = [];
      this.draw();
      return this.tell("You are in no team yet.");
    }
    this.channels = await this.channelsOf(this.team);
    const wanted = [channelName, "agent", "town-square"];
    const channel = wanted.map((name) => this.channels.find((each) => each.name === name)).find(Boolean) ?? this.channels[0];
    return this.enter(channel, push);
  }

  async enter(channel, push) {
    this.view?.close();
    this.channel = channel;
    const path = `/${this.team.name}/channels/${channel.name}`;
    if (path !== location.pathname) history[push ? "pushState" : "replaceState"]({}, "", path);
    this.unread.delete(channel.id);
    this.openSidebar(false);
    this.draw();
    this.view = new ChannelView(channel, { me: this.me, people: this.people, socket: this.socket, tell: (text) => this.tell(text) });
    const view = this.view;
    await view.show();
    if (view === this.view && matchMedia("(pointer: fine)").matches) byId("message")?.focus();
  }

  draw() {
    drawSidebar({
      ...this.state(),
      go: (path) => this.guard(() => this.go(path)),
      leave: () => this.guard(() => this.leave()),
    });
  }

  state() {
    const { me, people, teams, team, channels, channel, unread } = this;
    return { me, people, teams, team, channels, channel, unread };
  }

  async leave() {
    await api.logout();
    history.replaceState({}, "", "/");
    await this.signIn({ status: 401 });
  }

  hear(name, data, broadcast) {
    if (MEMBERSHIP_EVENTS.has(name)) return this.guard(() => this.team && this.refresh());
    if (name === "typing") return this.guard(() => this.heardTyping(data, broadcast));
    if (!["posted", "post_edited", "post_deleted", "ephemeral_message"].includes(name)) return undefined;
    const post = JSON.parse(data.post);
    if (post.channel_id !== this.channel?.id) return name === "posted" && this.countUnread(post);
    if (name === "post_deleted") return this.view.remove(post);
    return this.guard(() => this.view.arrive(post));
  }

  heardTyping(data, broadcast) {
    if (broadcast.channel_id !== this.channel?.id || data.user_id === this.me.id) return undefined;
    return this.view.noteTyping(data.user_id, data.parent_id ?? "");
  }

  countUnread(post) {
    if (post.user_id === this.me.id) return;
    this.unread.set(post.channel_id, (this.unread.get(post.channel_id) ?? 0) + 1);
    this.draw();
  }

  openSidebar(open) {
    document.body.classList.toggle("sidebar-open", open);
    byId("menu").setAttribute("aria-expanded", String(open));
  }

  // Alt with an arrow goes to the next channel, as in Mattermost.
  onKey(event) {
    if (event.key === "Escape") this.openSidebar(false);
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key) || !this.channel) return;
    event.preventDefault();
    const at = this.channels.findIndex((channel) => channel.id === this.channel.id);
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = this.channels[(at + step + this.channels.length) % this.channels.length];
    this.guard(() => this.enter(next, true));
  }
}

const app = new App();
byId("menu").append(icon("menu"));
byId("menu").addEventListener("click", () => app.openSidebar(!document.body.classList.contains("sidebar-open")));
byId("scrim").addEventListener("click", () => app.openSidebar(false));
addEventListener("popstate", () => app.guard(() => app.go(location.pathname, false)));
addEventListener("keydown", (event) => app.onKey(event));
app.start();
