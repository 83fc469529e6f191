// The demo's sign-in page: a button, or people to pick from where there is no provider.

import { api } from "./api.js";
import { el } from "./dom.js";
import { avatar } from "./people.js";

export async function showSignIn(place, onDone) {
  const config = await api.config().catch(() => ({}));
  if (config.EnableSignUpWithGitLab === "true") return place.replaceChildren(byProvider(config));
  const people = await api.people();
  const trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  const enter = async (person) => {
    trouble.hidden = true;
    try {
      await api.login(person.username, person.password);
      onDone();
    } catch (error) {
      trouble.textContent = error.message;
      trouble.hidden = false;
    }
  };
  const card = el("div", { class: "card" }, el("h1", {}, people.length ? "Who would you like to be?" : "You are not signed in"));
  if (people.length) card.append(el("p", { class: "muted" }, "This is a demo: each person sees only their own organization."));
  else card.append(el("p", { class: "muted" }, "Open Messaging in your organization's web app to come in."));
  card.append(trouble);
  for (const [organization, members] of byOrganization(people)) {
    card.append(el("h2", {}, organization), el("ul", { class: "picks" }, members.map((person) => pick(person, enter))));
  }
  place.replaceChildren(card);
}

// One button, as Mattermost's own page has it where neither e-mail nor username signs in.
function byProvider(config) {
  const address = `/oauth/gitlab/login?${new URLSearchParams({ redirect_to: location.pathname })}`;
  return el("div", { class: "card" },
    el("h1", {}, "You are not signed in"),
    el("a", { class: "provider", href: address }, config.GitLabButtonText || "GitLab"));
}

function pick(person, enter) {
  const text = el("span", {}, el("strong", {}, person.name), el("small", {}, person.title));
  return el("li", {}, el("button", { type: "button", click: () => enter(person) }, avatar(person.name, person.username), text));
}

function byOrganization(people) {
  const groups = new Map();
  for (const person of people) groups.set(person.organization, [...(groups.get(person.organization) ?? []), person]);
  return groups;
}
