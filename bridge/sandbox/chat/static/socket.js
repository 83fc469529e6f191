// Mattermost's websocket: connects with the session cookie, and again when it breaks.

const PING_EVERY = 20_000;
const SILENT_AFTER = 45_000;
const LONGEST_WAIT = 15_000;

export class Socket {
  // `onEvent(name, data, broadcast)`; `onOpen()` after every connection, so that what was missed can be fetched; `onLost()`.
  constructor({ onEvent, onOpen, onLost }) {
    this.handlers = { onEvent, onOpen, onLost };
    this.tries = 0;
    this.closed = false;
    this.connect();
    this.watch = setInterval(() => this.check(), PING_EVERY);
    this.wake = () => document.visibilityState === "visible" && this.check();
    document.addEventListener("visibilitychange", this.wake);
    window.addEventListener("online", this.wake);
  }

  connect() {
    clearTimeout(this.retry);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const ws = new WebSocket(`${scheme}://${location.host}/api/v4/websocket`);
    this.ws = ws;
    this.seq = 0;
    this.heard = Date.now();
    ws.onmessage = (message) => this.take(ws, message.data);
    ws.onclose = () => ws === this.ws && this.lose();
  }

  take(ws, text) {
    if (ws !== this.ws) return;
    this.heard = Date.now();
    const frame = JSON.parse(text);
    if (frame.event === "hello") {
      this.tries = 0;
      this.handlers.onOpen();
    } else if (frame.event) {
      this.handlers.onEvent(frame.event, frame.data ?? {}, frame.broadcast ?? {});
    }
  }

  lose() {
    if (this.closed) return;
    this.ws = null;
    this.handlers.onLost();
    const wait = Math.min(LONGEST_WAIT, 500 * 2 ** this.tries++);
    this.retry = setTimeout(() => this.connect(), wait * (0.5 + Math.random() / 2));
  }

  // A socket may be open and deaf: then no answer to our pings comes.
  check() {
    if (!this.ws) return this.connect();
    if (Date.now() - this.heard > SILENT_AFTER) {
      this.ws.close();
      return this.lose();
    }
    this.send("ping", {});
  }

  send(action, data) {
    if (this.ws?.readyState === WebSocket.OPEN) this.ws.send(JSON.stringify({ seq: ++this.seq, action, data }));
  }

  close() {
    this.closed = true;
    clearTimeout(this.retry);
    clearInterval(this.watch);
    document.removeEventListener("visibilitychange", this.wake);
    window.removeEventListener("online", this.wake);
    this.ws?.close();
  }
}
