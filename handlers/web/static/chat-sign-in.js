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

let isOut = false;
let offered = null;

function look() {
  const wasOut = isOut;
  isOut = location.pathname === OUT;
  if (isOut && !wasOut) arrive();
  if (!isOut) offered?.remove();
  // After a sign-out the web app begins anew at "/".
  if (!isOut && location.pathname !== "/") localStorage.removeItem(SIGNED_OUT);
}

// Somebody who has just clicked has signed out, and wants to stay out: in all tabs.
function arrive() {
  if (navigator.userActivation?.isActive) localStorage.setItem(SIGNED_OUT, "1");
  const lost = !localStorage.getItem(SIGNED_OUT);
  if (lost && parent !== window) parent.postMessage({ type: "equabot:login-expired" }, "*");
  offer().catch(() => {});
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
