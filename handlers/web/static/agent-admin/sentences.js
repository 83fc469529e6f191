// What people read when something does not work. Code: title, and what to do about it.

const LATER = "Nothing is lost; try again in a moment.";

export const FAILURES = {
  __proto__: null,
  not_signed_in: ["You are not signed in", "Your Equa session has ended. Sign in to Equa, then try again."],
  not_a_member: ["Only administrators can see this", "You are not a member of this organization."],
  not_an_admin: ["Only administrators can see this", "Somebody who administers this organization in Equa can show it to you, or change your role."],
  equa_unavailable: ["Equa is not available right now", "Who you are could not be checked."],
  database_unavailable: ["This is not available right now", LATER],
  mattermost_not_configured: ["Messaging is not set up yet", "An administrator has to connect a chat server to Equa first."],
  mattermost_unavailable: ["The chat is not available right now", LATER],
  too_many_requests: ["That was a little too often", "This page takes a short break."],
  forbidden_origin: ["This may not be opened from this page", "An administrator has to add this page's address to the bridge's WEB_ORIGINS."],
  invalid_request: ["This cannot be shown", "The address of this page, or what was chosen on it, is wrong."],
  network: ["The bridge could not be reached", "You may be offline."],
  timeout: ["The bridge takes too long to answer", "The server may be busy."],
  unavailable: ["This is not available right now", LATER],
};

export const ANY_FAILURE = ["This could not be shown", "Something went wrong. If it stays like this, tell your administrator."];

/** Codes with which no part of the page can be shown. */
export const OF_EVERYTHING = new Set(["not_signed_in", "not_a_member", "not_an_admin", "forbidden_origin"]);
