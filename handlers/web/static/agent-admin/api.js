// The routes of the bridge that this component asks, for one organization.

import { API, Failure, ask } from "../shared/bridge.js";

/** Everything rejects with a Failure, or as its signal was aborted. */
export class AgentApi {
  #base;
  #organization;

  constructor(base, organization) {
    this.#base = (base || API).replace(/\/+$/, "");
    this.#organization = encodeURIComponent(organization);
  }

  /** `by` is `day`, `person` or `outcome`; `from` and `to` are days in UTC, both inclusive. */
  usage({ from, to, by }, signal) {
    return this.#ask(this.#address("usage", { from, to, by }), { signal });
  }

  approvals(signal) {
    return this.#ask(this.#address("approvals"), { signal });
  }

  decide(approval, decision, signal) {
    const address = `${this.#address("approvals")}/${encodeURIComponent(approval)}`;
    return this.#ask(address, { method: "POST", body: JSON.stringify({ decision }), signal });
  }

  audit(query, signal) {
    return this.#ask(this.#address("audit", query), { signal });
  }

  /** Where a browser finds the audit as a file. */
  auditFile(query) {
    return this.#address("audit", { ...query, format: "csv" });
  }

  settings(signal) {
    return this.#ask(this.#address("settings"), { signal });
  }

  /** Replace the settings if their version is still this one. */
  change(settings, version, signal) {
    // Not the response's own ETag: a proxy that compresses makes it a weak one, which matches nothing.
    const headers = { "If-Match": `"${version}"` };
    return this.#ask(this.#address("settings"), { method: "PUT", headers, body: JSON.stringify(settings), signal });
  }

  async #ask(address, request) {
    const body = await ask(address, request);
    // As from a proxy that answers with a page of its own.
    if (body === null || typeof body !== "object") throw new Failure("invalid_answer");
    return body;
  }

  #address(what, query = {}) {
    const given = Object.entries(query).filter(([, value]) => value);
    const text = given.length ? `?${new URLSearchParams(given)}` : "";
    return `${this.#base}/${what}/${this.#organization}${text}`;
  }
}
