// Mattermost's REST interface, as the browser's session sees it.

export class ApiError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body) {
  const headers = {};
  if (method !== "GET") {
    // A cookie alone changes nothing: Mattermost asks for this header against forged requests.
    headers["X-Requested-With"] = "XMLHttpRequest";
    headers["Content-Type"] = body instanceof Blob ? "application/octet-stream" : "application/json";
  }
  let response;
  try {
    response = await fetch(path, { method, headers, credentials: "same-origin", body: body instanceof Blob ? body : body && JSON.stringify(body) });
  } catch {
    throw new ApiError(0, "The server cannot be reached.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(response.status, answer?.message || `The server answered ${response.status}.`);
  return answer;
}

const get = (path) => call("GET", `/api/v4${path}`);
const post = (path, body) => call("POST", `/api/v4${path}`, body);

export const PAGE = 60;

export const api = {
  people: () => call("GET", "/sandbox/people").catch(() => []),
  login: (username, password) => post("/users/login", { login_id: username, password }),
  config: () => get("/config/client?format=old"),
  logout: () => post("/users/logout", {}),
  me: () => get("/users/me"),
  teams: () => get("/users/me/teams"),
  channels: (teamId) => get(`/users/me/teams/${teamId}/channels`),
  members: (channelId) => get(`/channels/${channelId}/members?per_page=200`),
  users: (ids) => post("/users/ids", ids),
  posts: (channelId, before = "") =>
    get(`/channels/${channelId}/posts?per_page=${PAGE}${before && `&before=${before}`}`),
  press: (postId, actionId) => post(`/posts/${postId}/actions/${actionId}`, {}),
  send: (draft) => post("/posts", draft),
  upload: (channelId, file) => post(`/files?${new URLSearchParams({ channel_id: channelId, filename: file.name })}`, file),
};
