// The demo's page: whom one would like to be, then that person's organizations.

import { avatar, el } from "./dom.js";

const place = document.getElementById("place");

class Trouble extends Error {}

async function call(path, body) {
  const request = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`/sandbox/site/${path}`, request).catch(() => {
    throw new Trouble("The demo does not answer. Is it still running?");
  });
  if (!response.ok) throw new Trouble(await response.text());
  return response.json();
}

// Does what a button asks for and draws the page anew; the focus stays on the button that took its place.
async function act(path, body, said) {
  const { id } = document.activeElement;
  try {
    const state = await call(path, body);
    draw(state);
    tell(said, state);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    tell(said, { trouble: error.message });
  }
  const heir = document.getElementById(id);
  (heir ?? place.querySelector("h1")).focus();
}

function tell(where, { said = "", trouble = "" }) {
  const node = document.getElementById(where) ?? document.getElementById("said");
  node.classList.toggle("trouble", Boolean(trouble));
  node.textContent = trouble || said;
}

function draw(state) {
  document.getElementById("me").replaceChildren(...(state.me ? signedIn(state.me) : []));
  const said = el("p", { id: "said", class: "said", role: "status" });
  place.replaceChildren(...(state.me ? home(state) : door(state.people)), said);
}

function signedIn(me) {
  const leave = el("button", { id: "leave", type: "button", class: "quiet", click: () => act("sign-out", {}, "said") }, "Switch person");
  return [avatar(me.name, me.id, "small"), el("span", { class: "my-name" }, me.name), leave];
}

function door(people) {
  const picks = people.map((person) => el("li", {}, pick(person)));
  return [
    el("h1", { tabindex: "-1" }, "Who would you like to be?"),
    el("p", { class: "lead" }, "This page stands in for the Equa web app. Pick a person to be signed in as, and open their organization's Messaging."),
    el("ul", { class: "people" }, ...picks),
  ];
}

function pick({ id, name, about }) {
  const text = el("span", {}, el("strong", {}, name), ...about.map((seat) => el("small", {}, seat)));
  return el("button", { type: "button", click: () => act("sign-in", { person: id }, "said") }, avatar(name, id), text);
}

function home({ me, organizations, others, events }) {
  const first = me.name.split(" ")[0];
  const lead = organizations.length
    ? "Open Messaging and ask @equabot who is on the team. What happens on this page is told in the chat."
    : "You belong to no organization yet. Switch to somebody else and add this person to theirs.";
  return [
    el("h1", { tabindex: "-1" }, `Hello, ${first}`),
    el("p", { class: "lead" }, lead),
    el("div", { class: "organizations" }, ...organizations.map((each) => organization(each, events))),
    others.length ? elsewhere(others) : null,
  ].filter(Boolean);
}

function organization({ id, name, messaging, agent, members, candidates }, events) {
  const said = `said-${id}`;
  const buttons = events.map(({ kind, label }) =>
    el("button", { id: `${kind}-${id}`, type: "button", click: () => act("emit", { organization: id, kind }, said) }, label),
  );
  return el(
    "section",
    { id, class: "card", "aria-labelledby": `name-${id}` },
    el("header", {}, avatar(name, id), el("h2", { id: `name-${id}` }, name)),
    el("a", { class: "main", href: messaging, "aria-label": `Open Messaging of ${name}` }, "Open Messaging"),
    agent ? el("a", { class: "agent", href: agent, "aria-label": `What the agent of ${name} does` }, "What the agent does") : "",
    el("h3", {}, "Let something happen"),
    el("div", { class: "buttons even" }, ...buttons),
    el("p", { id: said, class: "said", role: "status" }),
    el("h3", {}, "Members"),
    el("ul", { class: "members" }, ...members.map((each) => member(id, each, said))),
    el("div", { class: "buttons" }, ...candidates.map((person) => candidate(id, person, said))),
  );
}

function member(organization, { person, name, title }, said) {
  const remove = person && el("button", { id: `remove-${organization}-${person}`, type: "button", class: "quiet", "aria-label": `Remove ${name}`, click: () => act("remove", { organization, person }, said) }, "Remove");
  return el("li", {}, avatar(name, person ?? name, "small"), el("span", {}, el("strong", {}, name), el("small", {}, title)), remove || el("small", {}, "no account"));
}

function candidate(organization, { id, name }, said) {
  return el("button", { id: `add-${organization}-${id}`, type: "button", click: () => act("add", { organization, person: id }, said) }, `Add ${name}`);
}

function elsewhere(others) {
  const links = others.map(({ name, messaging }) => el("li", {}, el("a", { href: messaging }, `Try to open Messaging of ${name}`)));
  return el("section", { class: "others" }, el("h2", {}, "Not yours"), el("p", {}, "Only members get in; see what others are told."), el("ul", {}, ...links));
}

// A page that comes back out of the browser's memory shows what is true now.
addEventListener("pageshow", (event) => event.persisted && act("state", null, "said"));

call("state").then(draw, (error) => place.replaceChildren(el("p", { role: "alert" }, error.message)));
