// How all components look: colors by day and by night, cards and buttons.

export const LOOK = `
:host {
  --_ground: var(--equa-messaging-background, light-dark(#ffffff, #161d1f));
  --_text: var(--equa-messaging-text, light-dark(#1b2422, #e4eae8));
  --_muted: var(--equa-messaging-muted, light-dark(#5d6b67, #98a7a3));
  --_line: var(--equa-messaging-border, light-dark(#cfd7d4, #37464a));
  --_accent: var(--equa-messaging-accent, light-dark(#17745b, #3fb08d));
  --_on-accent: var(--equa-messaging-on-accent, light-dark(#ffffff, #07201a));
  --_font: var(--equa-messaging-font, 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif);
  --_radius: var(--equa-messaging-radius, 10px);
  display: block; background: var(--_ground); color: var(--_text); font: var(--_font);
}
@supports not (color: light-dark(#fff, #000)) {
  :host {
    --_ground: var(--equa-messaging-background, #ffffff); --_text: var(--equa-messaging-text, #1b2422);
    --_muted: var(--equa-messaging-muted, #5d6b67); --_line: var(--equa-messaging-border, #cfd7d4);
    --_accent: var(--equa-messaging-accent, #17745b); --_on-accent: var(--equa-messaging-on-accent, #ffffff);
  }
}
:host([hidden]) { display: none; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([theme="auto"]) { color-scheme: light dark; }
* { box-sizing: border-box; margin: 0; }
[hidden] { display: none !important; }
.card { display: grid; justify-items: center; max-inline-size: 26rem; text-align: center; overflow-wrap: anywhere; animation: appear .2s ease-out; }
.card h2 { font-size: 1.25em; font-weight: 650; line-height: 1.3; letter-spacing: -.01em; text-wrap: balance; }
.card p { color: var(--_muted); text-wrap: pretty; }
.card h2 + p { margin-block-start: 6px; }
.card .detail, .card .countdown { margin-block-start: 10px; font-size: .9em; }
.countdown { font-variant-numeric: tabular-nums; }
.sign { inline-size: 44px; block-size: 44px; margin-block-end: 16px; fill: none; stroke: var(--_accent); stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.spinner {
  inline-size: 32px; block-size: 32px; margin-block-end: 16px; border-radius: 50%;
  border: 3px solid var(--_line); border-block-start-color: var(--_accent); animation: turn .9s linear infinite;
}
.actions { display: flex; flex-wrap: wrap; justify-content: center; gap: 10px; margin-block-start: 20px; }
button {
  min-block-size: 44px; padding: 8px 20px; border: 1px solid var(--_line); border-radius: var(--_radius);
  background: none; color: inherit; font: inherit; font-weight: 600; cursor: pointer;
}
button.main { border-color: transparent; background: var(--_accent); color: var(--_on-accent); }
button:hover { filter: brightness(1.06); border-color: var(--_accent); }
button:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
.said { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@keyframes turn { to { transform: rotate(1turn); } }
@keyframes appear { from { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { .card { animation: none; } .spinner { animation-duration: 4s; } }
@media (forced-colors: active) { .spinner { border-block-start-color: Highlight; } }
`;
