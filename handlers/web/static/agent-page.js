// The page around <equa-agent-admin>: its address says which section is shown, so that one can be linked to.

const agent = document.getElementById("agent");

const follow = () => Object.assign(agent, { section: location.hash.slice(1) });

agent.addEventListener("equa-agent-admin-state", () => {
  if (location.hash.slice(1) !== agent.section) history.replaceState(null, "", `#${agent.section}`);
});
addEventListener("hashchange", follow);
if (location.hash) follow();
