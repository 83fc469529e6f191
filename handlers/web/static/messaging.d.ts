// What /static/messaging.js offers to a page. For React, put this file where your tsconfig.json includes it.

export type MessagingState =
  /** No organization is set, or the element is in no page. */
  | "idle"
  /** A session is asked for, or the chat is loading in its frame. */
  | "loading"
  /** The chat is shown. */
  | "ready"
  /** It did not work and is tried again by itself. */
  | "waiting"
  /** It did not work; `reload()` or the button tries again. */
  | "error";

/** The first three lines come from the bridge, the others from the component itself. */
export type MessagingErrorCode =
  | "not_signed_in" | "not_a_member" | "account_conflict" | "forbidden_origin" | "invalid_request" | "too_many_requests"
  | "mattermost_not_configured" | "mattermost_unavailable" | "mattermost_full" | "equa_unavailable" | "database_unavailable"
  | "internal_error"
  | "network" | "timeout" | "unavailable" | "unexpected" | "invalid_answer"
  | "login_expired" | "storage_blocked" | "frame_blocked" | "popup_blocked"
  | (string & {});

export interface Session {
  /** Signs in once, within a minute. */
  token: string;
  baseUrl: string;
  teamName: string;
  mmUserId: string;
}

export type Config = { enabled: true; baseUrl: string } | { enabled: false; baseUrl: null };

export class Failure extends Error {
  /** `message` is the server's sentence, if it said one. */
  constructor(code: MessagingErrorCode, options?: { message?: string; status?: number; retryAfter?: number | null });
  readonly code: MessagingErrorCode;
  /** 0 if the server did not answer. */
  readonly status: number;
  /** Seconds that the server asked to wait, if it did. */
  readonly retryAfter: number | null;
}

/** The bridge's API; every method rejects with a `Failure`, or as its signal was aborted. */
export class MattermostApi {
  /** `base` is `/api/v1/mattermost` unless given. */
  constructor(base?: string);
  /** `scheme` is the color scheme of the page, which the chat follows until the person chooses a theme. */
  session(organizationId: string, options?: { signal?: AbortSignal; scheme?: "light" | "dark" }): Promise<Session>;
  /** Tells whether a link to Messaging has a purpose. */
  config(options?: { signal?: AbortSignal }): Promise<Config>;
}

export interface MessagingEvents {
  "equa-messaging-state": CustomEvent<{ state: MessagingState }>;
  "equa-messaging-ready": CustomEvent<{ baseUrl: string; teamName: string; mmUserId: string }>;
  "equa-messaging-error": CustomEvent<{
    code: MessagingErrorCode;
    status: number;
    /** What the person reads. */
    message: string;
    /** Seconds until the next try, null if there is none. */
    retryIn: number | null;
  }>;
}

/** Attributes; the properties of the same names set them. */
export interface MessagingAttributes {
  /** The organization's UUID; without one nothing is shown. */
  organization?: string;
  /** `/api/v1/mattermost` unless set. */
  api?: string;
  /** The channel that is opened, `town-square` unless set. */
  channel?: string;
  /** `auto` follows the system; without it the page's own `color-scheme` counts. */
  theme?: "light" | "dark" | "auto";
  /** Whether files may be downloaded in the frame; those that the chat opens in a tab always can. */
  downloads?: boolean;
}

/** `<equa-messaging>`; its events bubble and leave shadow trees. */
export class EquaMessaging extends HTMLElement {
  organization: string;
  api: string;
  channel: string;
  theme: "" | "light" | "dark" | "auto";
  downloads: boolean;
  readonly state: MessagingState;
  /** Begin anew, with a new session. */
  reload(): Promise<void>;
  /**
   * Open the chat in a tab of its own; call it while a click is handled. Rejects with a `Failure`, or with an `AbortError`
   * when the element was removed or given another organization meanwhile.
   */
  openInNewTab(): Promise<void>;
  addEventListener<K extends keyof MessagingEvents>(
    type: K,
    listener: (this: EquaMessaging, event: MessagingEvents[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<K extends keyof MessagingEvents>(
    type: K,
    listener: (this: EquaMessaging, event: MessagingEvents[K]) => unknown,
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
  ref?: ((element: EquaMessaging | null) => void) | { current: EquaMessaging | null } | null;
}

/** As React 19 and newer pass events to an element that is not its own; older ones need `addEventListener`. */
interface Listeners {
  "onequa-messaging-state"?: (event: MessagingEvents["equa-messaging-state"]) => void;
  "onequa-messaging-ready"?: (event: MessagingEvents["equa-messaging-ready"]) => void;
  "onequa-messaging-error"?: (event: MessagingEvents["equa-messaging-error"]) => void;
}

type MessagingProps = MessagingAttributes & Base & Listeners;

declare global {
  interface HTMLElementTagNameMap {
    "equa-messaging": EquaMessaging;
  }
  namespace JSX {
    interface IntrinsicElements {
      "equa-messaging": MessagingProps;
    }
  }
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "equa-messaging": MessagingProps;
    }
  }
}
