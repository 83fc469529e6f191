// The left side: the team, its channels, and who one is.

import { byId, el, icon } from "./dom.js";
import { initials } from "./people.js";

const SIGNS = { O: "#", P: "·", D: "@" };

export function drawSidebar({ me, people, teams, team, channels, channel, unread, go, leave }) {
  byId("team-name").textContent = team?.display_name ?? "No team";
  byId("team-mark").textContent = initials(team?.display_name ?? "?");
  drawTeams(teams, team, go);
  byId("channels").replaceChildren(
    ...channels.map((each) => {
      const count = unread.get(each.id) ?? 0;
      const current = each.id === channel?.id;
      const href = `/${team.name}/channels/${each.name}`;
      const badge = count ? el("span", { class: "count", "aria-label": `${count} new` }, String(Math.min(count, 99))) : null;
      const link = el("a", { href, class: count ? "unread" : null, "aria-current": current ? "page" : null, click: (event) => follow(event, href, go) }, el("span", { class: "hash", "aria-hidden": "true" }, SIGNS[each.type]), el("span", { class: "label" }, each.display_name), badge);
      return el("li", {}, link);
    }),
  );
  byId("me").replaceChildren(
    people.avatar(me.id, "small"),
    el("span", { class: "me-name" }, el("strong", {}, people.name(me.id)), el("small", {}, `@${me.username}`)),
    el("button", { class: "icon-button", type: "button", "aria-label": "Sign out", title: "Sign out", click: leave }, icon("leave")),
  );
}

function drawTeams(teams, team, go) {
  const place = byId("teams");
  place.hidden = teams.length < 2;
  place.replaceChildren(
    ...teams.map((each) => {
      const href = `/${each.name}`;
      const attributes = { href, "aria-current": each.id === team.id ? "true" : null, click: (event) => follow(event, href, go) };
      return el("a", attributes, each.display_name);
    }),
  );
}

function follow(event, href, go) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(href);
}
