// Runs in Mattermost's own pages, where the proxy puts it: whoever has lost their session comes back.
//
// Without a session Mattermost's web app goes to /login, without a request for a document. Around a frame
// nobody sees that, and from 11.0 on its page has no button there unless the server has a licence.

const OUT = "/login";
const SIGN_IN = "/oauth/gitlab/login";
const SIGNED_OUT = "equabot:signed-out";
const BUTTON =
  "display:block;width:fit-content;margin:auto;padding:12px 24px;border-radius:8px;background:#17745b;" +
  "color:#fff;font:600 16px system-ui,sans-serif;text-decoration:none";
const BELOW = "position:fixed;inset:auto 0 12vh;z-index:9999";
// Where Mattermost shows nothing at all but a sentence that says so.
const INSTEAD = "position:fixed;inset:0;z-index:9999;display:grid;background:#fff";
const JUST_NOW = 10_000; // milliseconds

let isOut = false;
let offered = null;
let refusedAt = -Infinity;
let leftAt = Infinity;

const observer = new PerformanceObserver((list) => note(list.getEntries()));
observer.observe({ type: "resource" });

function note(requests) {
  for (const { name, responseStatus, startTime } of requests) {
    if (responseStatus === 401) refusedAt = startTime;
    if (name.endsWith("/api/v4/users/logout")) leftAt = startTime;
  }
}

function look() {
  const wasOut = isOut;
  isOut = location.pathname === OUT;
  if (isOut && !wasOut) arrive();
  if (!isOut) offered?.remove();
  // After a sign-out the web app begins anew at "/".
  if (!isOut && location.pathname !== "/") localStorage.removeItem(SIGNED_OUT);
}

// Whoever has signed out wants to stay out, in all tabs.
function arrive() {
  if (hasLeft()) localStorage.setItem(SIGNED_OUT, "1");
  const lost = !localStorage.getItem(SIGNED_OUT);
  if (lost && parent !== window) parent.postMessage({ type: "equabot:login-expired" }, "*");
  offer().catch(() => {});
}

// They have just clicked, and the web app has told Mattermost. Where Mattermost refused a request first, it was
// the session that ended.
function hasLeft() {
  note(observer.takeRecords());
  return leftAt < Infinity && refusedAt < leftAt - JUST_NOW && Boolean(navigator.userActivation?.isActive);
}

async function offer() {
  const shown = await signInMethods();
  if (shown.button || !(await isOn()) || !isOut) return;
  const link = document.createElement("a");
  link.href = `${SIGN_IN}?redirect_to=${encodeURIComponent(wanted())}`;
  link.textContent = "Sign in with Equa";
  link.style.cssText = BUTTON;
  offered?.remove();
  offered = document.createElement("div");
  offered.style.cssText = shown.form ? BELOW : INSTEAD;
  offered.append(link);
  document.body.append(offered);
}

// What Mattermost's page shows.
async function signInMethods() {
  const response = await fetch("/api/v4/config/client?format=old");
  const config = await response.json();
  const has = (name) => config[name] === "true";
  return {
    button: has("EnableSignUpWithGitLab"),
    form: ["EnableSignInWithEmail", "EnableSignInWithUsername", "EnableLdap"].some(has),
  };
}

async function isOn() {
  const response = await fetch(SIGN_IN, { redirect: "manual" });
  return response.type === "opaqueredirect";
}

function wanted() {
  const path = new URLSearchParams(location.search).get("redirect_to") ?? "/";
  return /^\/(?![/\\])/.test(path) ? path : "/";
}

for (const name of ["pushState", "replaceState"]) {
  const original = history[name];
  history[name] = function (...args) {
    original.apply(this, args);
    look();
  };
}
addEventListener("popstate", look);
look();
