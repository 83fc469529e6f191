// <equa-messaging organization="…">: the team chat of an Equa organization, inside a page. No dependencies.
//
// It asks the bridge for a session, signs a frame in with its one-time ticket and shows the frame, or says what is wrong and
// tries again. messaging.d.ts beside this file names everything a page may use.

import { API, Failure, ask, pause } from "./shared/bridge.js";
import { FailureCard, buttons, countDown, loadingCard } from "./shared/cards.js";
import { adopt, dress, el, reflect } from "./shared/elements.js";
import { LOOK } from "./shared/look.js";

export { Failure };

const CHANNEL = "town-square"; // the one channel that every team has and nobody can leave

// What an absent one means.
const ATTRIBUTES = { organization: "", api: API, channel: CHANNEL, theme: "" };

const SANDBOX = "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox";
const PERMISSIONS = ["clipboard-write", "fullscreen"];

// Milliseconds.
const SLOW_AFTER = 10_000;
const STORAGE_WITHIN = 4_000; // without a word about storage by then, as from an older bridge, the chat is tried
const STORAGE_AFTER_LOAD = 500; // likewise, from when something else has loaded
const RENEWAL_WINDOW = 300_000;

const MOST_RENEWALS = 3; // in a window

const CALM = "Nothing that was written is lost.";

// Code: title, and what to do about it.
const SENTENCES = {
  __proto__: null,
  not_signed_in: ["You are not signed in", "Your Equa session has ended. Sign in to Equa, then try again."],
  not_a_member: ["Only members can open this chat", "You are not a member of this organization. One of its administrators can add you."],
  account_conflict: ["Your chat account needs attention", "There already is a chat account that could not be connected to you. Your administrator can help."],
  mattermost_not_configured: ["Messaging is not set up yet", "An administrator has to connect a chat server to Equa first."],
  mattermost_unavailable: ["The chat is not available right now", CALM],
  equa_unavailable: ["Equa is not available right now", "Who you are could not be checked."],
  database_unavailable: ["Messaging is not available right now", CALM],
  mattermost_full: ["The chat server is full", "It has reached its limit of people or teams. Your administrator can raise it."],
  too_many_requests: ["That was a little too often", "Messaging takes a short break."],
  forbidden_origin: ["Messaging may not be opened from this page", "An administrator has to add this page's address to the bridge's WEB_ORIGINS."],
  invalid_request: ["This is not an organization", "The address of this page is wrong or incomplete."],
  network: ["Messaging could not be reached", "You may be offline."],
  timeout: ["Messaging takes too long to answer", "The server may be busy."],
  unavailable: ["Messaging is not available right now", CALM],
  login_expired: ["Signing in to the chat did not work", "It was tried several times. If it stays like this, tell your administrator."],
  popup_blocked: ["No tab could be opened", "Your browser blocks new tabs of this page."],
  storage_blocked: ["Your browser does not let the chat run inside this page", "It blocks what the chat has to store when another site's page shows it, as private windows do. The chat can be opened in a tab of its own."],
  frame_blocked: ["This page may not show the chat", "Its security policy forbids it. The chat can be opened in a tab of its own."],
};
const ANYTHING_ELSE = ["Messaging could not be opened", "Something went wrong. If it stays like this, tell your administrator."];
const ONLY_NEW_TAB_HELPS = new Set(["storage_blocked", "frame_blocked"]);
const NEW_TAB_HELPS = new Set([...ONLY_NEW_TAB_HELPS, "login_expired", "popup_blocked"]);

const STYLE = `${LOOK}
:host { position: relative; block-size: 100%; min-block-size: 20rem; overflow: hidden; }
iframe { position: absolute; inset: 0; inline-size: 100%; block-size: 100%; border: 0; }
iframe.opening { visibility: hidden; }
.panel { position: absolute; inset: 0; display: grid; place-items: center; padding: 24px; overflow: auto; outline: 0; }
`;

/** The bridge's API as a page sees it; everything rejects with a Failure, or as its signal was aborted. */
export class MattermostApi {
  constructor(base = API) {
    this.base = base.replace(/\/+$/, "");
  }

  async session(organizationId, { signal, scheme } = {}) {
    const asked = { method: "POST", body: JSON.stringify({ organizationId, scheme }), signal };
    const session = await ask(`${this.base}/session`, asked);
    const texts = [session?.token, session?.baseUrl, session?.teamName];
    if (!texts.every((text) => typeof text === "string" && text) || !isAddress(session.baseUrl)) throw new Failure("invalid_answer");
    return session;
  }

  config({ signal } = {}) {
    return ask(`${this.base}/config`, { signal });
  }
}

// Anything else, "javascript:" above all, must not get near a frame.
function isAddress(text) {
  return URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
}

function loginAddress({ baseUrl, token, teamName }, channel) {
  const place = `/${encodeURIComponent(teamName)}/channels/${encodeURIComponent(channel)}`;
  return `${baseUrl.replace(/\/+$/, "")}/login/token?token=${encodeURIComponent(token)}&redirect_to=${encodeURIComponent(place)}`;
}

function storageAddress({ baseUrl }) {
  return `${baseUrl.replace(/\/+$/, "")}/login/token?check=storage`;
}

function secondsIn(value) {
  return Number.isFinite(value) ? Math.max(0, value) : null;
}

/** The color scheme that is seen in a shadow tree, whoever has chosen it: the page, a meta element or the system. */
function schemeOf(root) {
  const probe = el("span", { hidden: "" });
  probe.style.color = "light-dark(rgb(1, 1, 1), rgb(2, 2, 2))";
  root.append(probe);
  const { color, colorScheme } = getComputedStyle(probe);
  probe.remove();
  if (color === "rgb(2, 2, 2)") return "dark";
  // Without light-dark() only what the page's style sheets say is known.
  return color !== "rgb(1, 1, 1)" && /^(only )?dark( only)?$/.test(colorScheme) ? "dark" : "light";
}

/** What is seen and heard of the component. */
class View {
  #root;
  #said = el("p", { class: "said", role: "status" });
  #panel = el("div", { class: "panel", tabindex: "-1" });
  #frame = null;

  constructor(root, nonce) {
    this.#root = root;
    dress(root, STYLE, nonce);
    root.append(this.#said, this.#panel);
  }

  get frame() {
    return this.#frame;
  }

  blank() {
    this.#show();
    this.#said.textContent = "";
  }

  loading(text) {
    this.#show(loadingCard(text));
    this.#said.textContent = text;
  }

  slow(actions) {
    const hint = "This takes longer than usual.";
    const card = this.#panel.firstElementChild;
    card.append(el("p", { class: "detail", part: "hint" }, hint), el("div", { class: "actions" }, ...buttons(actions)));
    this.#said.textContent = hint;
  }

  /** Say something else where `slow` has said that it takes long. */
  hint(sentences) {
    const text = `${sentences[0]}. ${sentences[1]}`;
    const hint = this.#panel.querySelector("[part=hint]");
    if (hint) hint.textContent = this.#said.textContent = text;
  }

  failed(card) {
    this.#show(card.element);
    this.#said.textContent = card.spoken;
  }

  /** Put the frame behind what is shown. */
  open(frame) {
    this.#frame = frame;
    this.#root.append(frame);
  }

  /** Let the frame go to the address. */
  go(address) {
    // The address never is an attribute, which page recorders copy, nor an entry of the history.
    this.#frame.contentWindow.location.replace(address);
  }

  ready() {
    const held = this.#root.activeElement;
    this.#panel.hidden = true;
    this.#panel.replaceChildren();
    this.#frame.classList.remove("opening");
    if (held) this.#frame.focus();
    this.#said.textContent = "Messaging is open.";
  }

  // Whoever had the focus in here keeps it in here; elsewhere it is left alone.
  #show(...children) {
    const held = this.#root.activeElement;
    this.#frame?.remove();
    this.#frame = null;
    this.#panel.hidden = false;
    this.#panel.replaceChildren(...children);
    if (held) (this.#panel.querySelector("button") ?? this.#panel).focus();
  }
}

export class EquaMessaging extends HTMLElement {
  static observedAttributes = ["organization", "api", "channel", "downloads"];

  #view = new View(this.attachShadow({ mode: "open" }), this.nonce);
  #state = "idle";
  #attempt = new AbortController(); // aborted as soon as another attempt takes its place
  #stay = new AbortController(); // aborted as soon as the element is elsewhere, or about something else
  #retries = 0;
  #renewals = [];
  #origin = "";
  #storage = ""; // the origin of a chat that can store here
  #checking = false;
  #restarting = false;

  get state() {
    return this.#state;
  }

  // React before 19 writes a false property of an element that is not its own as the attribute "false".
  get downloads() {
    return this.hasAttribute("downloads") && this.getAttribute("downloads") !== "false";
  }

  set downloads(value) {
    if (value) this.setAttribute("downloads", "");
    else this.removeAttribute("downloads");
  }

  connectedCallback() {
    adopt(this, [...Object.keys(ATTRIBUTES), "downloads"]);
    addEventListener("message", this.#onMessage);
    addEventListener("online", this.#onOnline);
    document.addEventListener("securitypolicyviolation", this.#onViolation);
    this.#restart();
  }

  disconnectedCallback() {
    removeEventListener("message", this.#onMessage);
    removeEventListener("online", this.#onOnline);
    document.removeEventListener("securitypolicyviolation", this.#onViolation);
    this.#leave();
    this.#view.blank();
    if (this.#state !== "idle") this.#enter("idle");
  }

  attributeChangedCallback(_name, before, after) {
    if (this.isConnected && before !== after) this.#restart();
  }

  /** Begin anew, with a new ticket. */
  reload() {
    this.#retries = 0;
    this.#renewals = [];
    return this.#open("Opening Messaging…");
  }

  /** Open the chat in a tab of its own; call it while a click is handled. Rejects with a Failure, or as it was aborted. */
  async openInNewTab() {
    const { channel } = this;
    const { signal } = this.#stay;
    const name = `equa-messaging-${crypto.getRandomValues(new Uint32Array(4)).join("-")}`;
    const tab = open("", name);
    if (!tab) throw new Failure("popup_blocked");
    try {
      const session = await this.#session(signal);
      signal.throwIfAborted();
      if (tab.closed) return;
      // A link, because it can say from which origin it comes even on a page that keeps that to itself: of a browser that
      // is signed in already the bridge wants to know. It is in no document, where page recorders would see its ticket.
      el("a", { href: loginAddress(session, channel), target: name, referrerpolicy: "strict-origin" }).click();
      tab.opener = null;
    } catch (failure) {
      tab.close();
      throw failure;
    }
  }

  // Several attributes that change at once make one restart, and nothing of before is shown any more.
  #restart() {
    this.#leave();
    if (this.#restarting) return;
    this.#restarting = true;
    queueMicrotask(() => {
      this.#restarting = false;
      if (this.isConnected) this.reload();
    });
  }

  #leave() {
    this.#attempt.abort();
    this.#stay.abort();
    this.#stay = new AbortController();
  }

  async #open(text) {
    this.#attempt.abort();
    const { signal } = (this.#attempt = new AbortController());
    if (!this.organization || !this.isConnected) {
      this.#view.blank();
      this.#enter("idle");
      return;
    }
    this.#view.loading(text);
    this.#enter("loading");
    try {
      const session = await this.#session(signal);
      if (!signal.aborted) await this.#embed(session, signal);
    } catch (failure) {
      if (!(failure instanceof Failure) && !signal.aborted) throw failure;
      if (!signal.aborted) this.#fail(failure);
    }
  }

  #session(signal) {
    return new MattermostApi(this.api).session(this.organization, { signal, scheme: schemeOf(this.shadowRoot) });
  }

  async #embed(session, signal) {
    const { baseUrl, teamName, mmUserId } = session;
    this.#origin = new URL(baseUrl).origin;
    const sandbox = this.downloads ? `${SANDBOX} allow-downloads` : SANDBOX;
    // A frame that is navigated by a script has no origin of its own to which a permission without one could go.
    const allow = PERMISSIONS.map((permission) => `${permission} ${this.#origin}`).join("; ");
    const frame = el("iframe", { part: "frame", class: "opening", title: `Team chat: ${teamName}`, sandbox, allow });
    const slow = setTimeout(() => this.#view.slow([this.#tryAgain(), this.#newTab()]), SLOW_AFTER);
    signal.addEventListener("abort", () => clearTimeout(slow));
    this.#view.open(frame);
    const stores = await this.#canStore(frame, session, signal);
    if (signal.aborted) return;
    if (!stores) throw new Failure("storage_blocked");
    frame.addEventListener("load", () => {
      if (signal.aborted || isBlank(frame) || this.#state !== "loading") return;
      clearTimeout(slow);
      this.#view.ready();
      this.#enter("ready");
      this.#tell("ready", { baseUrl, teamName, mmUserId });
    });
    this.#view.go(loginAddress(session, this.channel));
  }

  // Browsers may let a frame of another site load and keep its cookies, but not store anything: the chat would stop
  // at its first line without a word. So a small page of the chat's host tries that first.
  async #canStore(frame, session, signal) {
    if (this.#storage === this.#origin || this.#origin === location.origin) return true;
    this.#checking = true;
    const stores = await new Promise((resolve) => {
      const end = AbortSignal.any([signal, AbortSignal.timeout(STORAGE_WITHIN)]);
      let loaded = false;
      let heard = false;
      end.addEventListener("abort", () => resolve(true));
      const onMessage = (message) => {
        if (!this.#isOfChat(message)) return;
        heard = true;
        // The page's own load, which may come later, must not be taken for the chat's.
        if (loaded || message.data?.works === false) resolve(message.data?.works !== false);
      };
      const onLoad = () => {
        if (isBlank(frame)) return;
        loaded = true;
        if (heard) resolve(true);
        else setTimeout(resolve, STORAGE_AFTER_LOAD, true);
      };
      addEventListener("message", onMessage, { signal: end });
      frame.addEventListener("load", onLoad, { signal: end });
      this.#view.go(storageAddress(session));
    });
    this.#checking = false;
    if (stores && !signal.aborted) this.#storage = this.#origin;
    return stores;
  }

  #isOfChat({ origin, source }) {
    const { frame } = this.#view;
    return frame && source === frame.contentWindow && origin === this.#origin;
  }

  #fail(failure) {
    this.#attempt.abort();
    const { signal } = (this.#attempt = new AbortController());
    const { code, status, said } = failure;
    const seconds = pause(failure, this.#retries);
    const known = SENTENCES[code];
    // What the server says of a code that is not known here, or of an account, is more than we could.
    const detail = !known || code === "account_conflict" ? said : "";
    const actions = [this.#tryAgain(seconds === null ? "Try again" : "Try now"), NEW_TAB_HELPS.has(code) && this.#newTab()];
    if (ONLY_NEW_TAB_HELPS.has(code)) actions.reverse();
    const card = new FailureCard(known ?? ANYTHING_ELSE, { detail, seconds, actions: actions.filter(Boolean) });
    this.#view.failed(card);
    if (seconds !== null) countDown(seconds, signal, { tick: (left) => card.count(left), end: () => this.#again() });
    this.#enter(seconds === null ? "error" : "waiting");
    this.#tell("error", { code, status, message: (known ?? ANYTHING_ELSE).join(". "), retryIn: seconds });
  }

  #again() {
    this.#retries += 1;
    this.#open("Trying again…");
  }

  #renew() {
    const now = performance.now();
    this.#renewals = this.#renewals.filter((then) => now - then < RENEWAL_WINDOW);
    if (this.#renewals.length >= MOST_RENEWALS) {
      this.#fail(new Failure("login_expired"));
      return;
    }
    this.#renewals.push(now);
    this.#retries = 0;
    this.#open("Signing you in again…");
  }

  #onMessage = (message) => {
    const { data } = message;
    if (!this.#isOfChat(message)) return;
    if (data?.type === "equabot:login-expired" && !this.#checking) this.#renew();
    if (data?.type === "equabot:login-failed") this.#fail(new Failure("unavailable", { status: 503, retryAfter: secondsIn(data.retryAfter) }));
  };

  #onOnline = () => {
    if (this.#state === "waiting") this.#again();
  };

  // Only the page's own policy can be heard of; a frame that the chat's policy blocks looks like any other.
  #onViolation = ({ effectiveDirective, blockedURI }) => {
    const frames = ["frame-src", "child-src", "default-src"].includes(effectiveDirective);
    if (!frames || !this.#view.frame || !URL.canParse(blockedURI)) return;
    if (new URL(blockedURI).origin === this.#origin) this.#fail(new Failure("frame_blocked"));
  };

  #tryAgain(text = "Try again") {
    return ["retry", text, () => this.reload()];
  }

  #newTab() {
    return ["new-tab", "Open in a new tab", () => this.openInNewTab().catch((failure) => this.#noTab(failure))];
  }

  // What a tab came to is told where nothing better is under way: a frame that still loads, or is there, goes on.
  #noTab(failure) {
    if (failure.name === "AbortError") return;
    if (!(failure instanceof Failure)) throw failure;
    if (this.#state === "loading") this.#view.hint(SENTENCES[failure.code] ?? ANYTHING_ELSE);
    else if (this.#state !== "ready") this.#fail(failure);
  }

  #enter(state) {
    this.#state = state;
    this.#tell("state", { state });
  }

  #tell(what, detail) {
    this.dispatchEvent(new CustomEvent(`equa-messaging-${what}`, { detail, bubbles: true, composed: true }));
  }
}

// A frame begins with an empty page of our own origin, and some browsers report that one too.
function isBlank(frame) {
  try {
    return frame.contentWindow.location.href === "about:blank";
  } catch {
    return false;
  }
}

reflect(EquaMessaging, ATTRIBUTES);

if (!customElements.get("equa-messaging")) customElements.define("equa-messaging", EquaMessaging);
