// Requests to the bridge, and what may go wrong with one.

export const API = "/api/v1/mattermost";

const ANSWER_WITHIN = 60_000; // milliseconds; a first visit founds a team, and one slow write to Mattermost takes 35 s
const MOST_RETRIES = 6; // in a row, without anybody asking
const LONGEST_PAUSE = 300; // seconds; who asks for more is asked again by hand only
const PASSING = new Set(["network", "timeout", "unavailable"]);

/** What went wrong: a stable code, and the status and sentence of the server if it answered. */
export class Failure extends Error {
  constructor(code, { message = "", status = 0, retryAfter = null } = {}) {
    super(message || code);
    this.name = "Failure";
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter; // seconds
    this.said = message;
  }

  get passing() {
    return this.status === 429 || this.status === 503 || PASSING.has(this.code);
  }
}

/** Send a request; return the body of the response. Rejects with a Failure, or as its signal was aborted. */
export async function ask(address, { signal, headers = {}, ...request }) {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), ANSWER_WITHIN);
  try {
    const response = await fetch(address, {
      ...request,
      headers: { "Content-Type": "application/json", ...headers },
      credentials: "include",
      cache: "no-store",
      // With a page's own "no-referrer" a browser would send "Origin: null", which the bridge has to refuse.
      referrerPolicy: "strict-origin",
      signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
    });
    const body = parsed(await response.text());
    if (response.ok) return body;
    throw refusal(response, body);
  } catch (error) {
    if (signal?.aborted || error instanceof Failure) throw error;
    throw new Failure(limit.signal.aborted ? "timeout" : "network");
  } finally {
    clearTimeout(timer);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refusal(response, body) {
  const { status } = response;
  const code = typeof body?.error === "string" ? body.error : codeOf(status);
  const message = typeof body?.message === "string" ? body.message : "";
  return new Failure(code, { message, status, retryAfter: secondsOf(response.headers.get("Retry-After")) });
}

// For what a proxy answers in the bridge's place.
function codeOf(status) {
  return { 401: "not_signed_in", 429: "too_many_requests", 502: "unavailable", 503: "unavailable", 504: "unavailable" }[status] ?? "unexpected";
}

// Retry-After is either seconds or a date.
function secondsOf(text) {
  if (text === null) return null;
  const seconds = /^\d+$/.test(text.trim()) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

/** Seconds until the next try, null for none; jittered, so that not everybody comes back at once. */
export function pause(failure, retries) {
  const asked = failure.retryAfter ?? 0;
  if (!failure.passing || retries >= MOST_RETRIES || asked > LONGEST_PAUSE) return null;
  const ours = Math.min(60, 2 ** (retries + 1));
  return Math.max(asked, ours / 2) + (Math.random() * ours) / 2;
}
