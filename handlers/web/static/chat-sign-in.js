// Runs in Mattermost's own pages, where the proxy puts it: whoever has lost their session comes back.
//
// Without a session Mattermost's web app goes to /login, without a request for a document. Around a frame
// nobody sees that, and from 11.0 on its page has no button there unless the server has a licence.

const OUT = "/login";
const SIGN_IN = "/oauth/gitlab/login";
const SIGNED_OUT = "equabot:signed-out";
const STYLE =
  "position:fixed;inset:auto 0 12vh;z-index:9999;width:fit-content;margin:auto;padding:12px 24px;" +
  "border-radius:8px;background:#17745b;color:#fff;font:600 16px system-ui,sans-serif;text-decoration:none";

let isOut = false;
let button = null;

function look() {
  const wasOut = isOut;
  isOut = location.pathname === OUT;
  if (isOut && !wasOut) arrive();
  if (!isOut) button?.remove();
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
  if ((await hasButton()) || !(await isOn()) || !isOut) return;
  button?.remove();
  button = document.createElement("a");
  button.href = `${SIGN_IN}?redirect_to=${encodeURIComponent(wanted())}`;
  button.textContent = "Sign in with Equa";
  button.style.cssText = STYLE;
  document.body.append(button);
}

async function hasButton() {
  const response = await fetch("/api/v4/config/client?format=old");
  return (await response.json()).EnableSignUpWithGitLab === "true";
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
