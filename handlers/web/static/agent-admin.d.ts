// What /static/agent-admin.js offers to a page. For React, put this file where your tsconfig.json includes it.

export type AgentAdminState =
  /** No organization is set, or the element is in no page. */
  | "idle"
  /** What is to be shown is asked for. */
  | "loading"
  /** The section is shown. */
  | "ready"
  /** It did not work and is tried again by itself. */
  | "waiting"
  /** It did not work; `reload()` or the button tries again. */
  | "error";

export type AgentAdminSection = "usage" | "approvals" | "audit" | "settings";

/** The first two lines come from the bridge, the others from the component itself. */
export type AgentAdminErrorCode =
  | "not_signed_in" | "not_a_member" | "not_an_admin" | "forbidden_origin" | "invalid_request" | "too_many_requests"
  | "mattermost_not_configured" | "mattermost_unavailable" | "equa_unavailable" | "database_unavailable" | "internal_error"
  | "network" | "timeout" | "unavailable" | "unexpected" | "invalid_answer"
  | (string & {});

export class Failure extends Error {
  /** `message` is the server's sentence, if it said one. */
  constructor(code: AgentAdminErrorCode, options?: { message?: string; status?: number; retryAfter?: number | null });
  readonly code: AgentAdminErrorCode;
  /** 0 if the server did not answer. */
  readonly status: number;
  /** Seconds that the server asked to wait, if it did. */
  readonly retryAfter: number | null;
}

export interface AgentAdminEvents {
  "equa-agent-admin-state": CustomEvent<{ state: AgentAdminState }>;
  "equa-agent-admin-error": CustomEvent<{
    code: AgentAdminErrorCode;
    status: number;
    /** What the person reads. */
    message: string;
    /** Seconds until the next try, null if there is none. */
    retryIn: number | null;
  }>;
}

/** Attributes; the properties of the same names set them. */
export interface AgentAdminAttributes {
  /** The organization's UUID; without one nothing is shown. */
  organization?: string;
  /** `/api/v1/mattermost` unless set. */
  api?: string;
  /** What is shown, `usage` unless set; it follows what somebody chooses. */
  section?: AgentAdminSection;
  /** `auto` follows the system; without it the page's own `color-scheme` counts. */
  theme?: "light" | "dark" | "auto";
}

/** `<equa-agent-admin>`; its events bubble and leave shadow trees. */
export class EquaAgentAdmin extends HTMLElement {
  organization: string;
  api: string;
  section: AgentAdminSection;
  theme: "" | "light" | "dark" | "auto";
  readonly state: AgentAdminState;
  /** Load everything anew; what was changed in the settings and not saved is lost. */
  reload(): Promise<void>;
  addEventListener<K extends keyof AgentAdminEvents>(
    type: K,
    listener: (this: EquaAgentAdmin, event: AgentAdminEvents[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof AgentAdminEvents>(
    type: K,
    listener: (this: EquaAgentAdmin, event: AgentAdminEvents[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

interface Base {
  id?: string;
  class?: string;
  className?: string;
  style?: object;
  key?: string | number | null;
  ref?: ((element: EquaAgentAdmin | null) => void) | { current: EquaAgentAdmin | null } | null;
}

/** As React 19 and newer pass events to an element that is not its own; older ones need `addEventListener`. */
interface Listeners {
  "onequa-agent-admin-state"?: (event: AgentAdminEvents["equa-agent-admin-state"]) => void;
  "onequa-agent-admin-error"?: (event: AgentAdminEvents["equa-agent-admin-error"]) => void;
}

type AgentAdminProps = AgentAdminAttributes & Base & Listeners;

declare global {
  interface HTMLElementTagNameMap {
    "equa-agent-admin": EquaAgentAdmin;
  }
  namespace JSX {
    interface IntrinsicElements {
      "equa-agent-admin": AgentAdminProps;
    }
  }
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "equa-agent-admin": AgentAdminProps;
    }
  }
}
