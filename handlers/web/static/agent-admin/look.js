// How the page of the agent looks, beyond what all components share.

import { LOOK } from "../shared/look.js";

export const STYLE = `${LOOK}
:host {
  --_raised: light-dark(#f4f6f5, #1d2628);
  --_danger: light-dark(#a8322a, #f2877d);
  --_one: light-dark(#17745b, #3fb08d);
  --_two: light-dark(#b3403a, #f2877d);
  --_three: light-dark(#8a6500, #d9b24c);
  --_four: light-dark(#5757c2, #a5a8f7);
  --_five: light-dark(#68757b, #93a3a8);
  --_six: light-dark(#3a6ea5, #7db4e6);
  min-block-size: 20rem; overflow-wrap: anywhere;
}
@supports not (color: light-dark(#fff, #000)) {
  :host { --_raised: #f4f6f5; --_danger: #a8322a; --_one: #17745b; --_two: #b3403a; --_three: #8a6500; --_four: #5757c2; --_five: #68757b; --_six: #3a6ea5; }
}
.inner { max-inline-size: 68rem; margin-inline: auto; padding: 12px 16px 48px; }
.tabs { display: flex; gap: 4px; margin-block-end: 16px; overflow-x: auto; border-block-end: 1px solid var(--_line); scrollbar-width: thin; }
.tabs button { flex: none; padding: 8px 12px; border: 0; border-block-end: 3px solid transparent; border-radius: 0; color: var(--_muted); }
@media (max-width: 40rem) { .tabs { gap: 0; } .tabs button { padding-inline: 8px; font-size: .95em; } }
.tabs button:focus-visible { outline-offset: -3px; }
.tabs button[aria-selected="true"] { border-block-end-color: var(--_accent); color: var(--_text); }
.badge { display: inline-block; min-inline-size: 1.6em; margin-inline-start: 6px; padding: 0 .45em; border-radius: 1em; background: var(--_accent); color: var(--_on-accent); font-size: .8em; }
.panel { outline: 0; }
.body { transition: opacity .15s; }
.body[aria-busy="true"] { opacity: .55; }
.body > .card { margin: 12vh auto 0; }
.controls { display: flex; flex-wrap: wrap; align-items: center; gap: 10px 16px; margin-block-end: 16px; }
.controls label, .dates { display: inline-flex; min-inline-size: 0; max-inline-size: 100%; flex-wrap: wrap; align-items: center; gap: 8px; color: var(--_muted); }
select, input:not([type="checkbox"], [type="radio"]) {
  min-block-size: 44px; min-inline-size: 0; max-inline-size: 100%; padding: 6px 10px; border: 1px solid var(--_line); border-color: var(--_five); border-radius: var(--_radius);
  background: var(--_ground); color: var(--_text); font: inherit;
}
select:focus-visible, input:focus-visible, summary:focus-visible, a:focus-visible, .scrollable:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
h2 { font-size: 1.2em; font-weight: 650; line-height: 1.3; }
h3 { font-size: 1em; font-weight: 600; line-height: 1.3; }
a { color: var(--_accent); }
.note, .empty { color: var(--_muted); }
.note { font-size: .9em; }
.danger { color: var(--_danger); }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.6rem, 1fr)); gap: 10px; margin-block-end: 20px; }
.tiles > div { padding: 10px 14px; border: 1px solid var(--_line); border-radius: var(--_radius); background: var(--_raised); }
.tiles dt { color: var(--_muted); font-size: .9em; }
.tiles dd { margin: 0; font-size: 1.35em; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.3; }
.tiles dd.note { font-size: .85em; font-weight: 400; line-height: 1.4; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 28px 32px; }
figure { min-inline-size: 0; }
figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 12px; margin-block-end: 8px; }
.total { color: var(--_muted); font-variant-numeric: tabular-nums; }
.plot { display: grid; grid-template: 140px auto / auto minmax(0, 1fr); gap: 4px 8px; }
.scale { display: flex; flex-direction: column; justify-content: space-between; margin-block: -.7em; color: var(--_muted); font-size: .8em; text-align: end; font-variant-numeric: tabular-nums; }
.bars { inline-size: 100%; block-size: 140px; border-block-end: 1px solid var(--_five); }
.days { grid-column: 2; display: flex; justify-content: space-between; color: var(--_muted); font-size: .8em; }
.grid { stroke: var(--_line); vector-effect: non-scaling-stroke; }
.one { fill: var(--_one); } .two { fill: var(--_two); } .three { fill: var(--_three); } .four { fill: var(--_four); } .five { fill: var(--_five); } .six { fill: var(--_six); }
.unknown { fill: none; stroke: var(--_five); stroke-dasharray: 2 3; vector-effect: non-scaling-stroke; }
.whole { fill: transparent; }
.bars g:hover .whole { fill: color-mix(in srgb, var(--_five) 20%, transparent); }
.legend { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-block-start: 8px; padding: 0; color: var(--_muted); font-size: .9em; list-style: none; }
.legend li { display: inline-flex; align-items: center; gap: 6px; }
.swatch { inline-size: 12px; block-size: 12px; border-radius: 3px; }
details { margin-block-start: 8px; }
summary { inline-size: fit-content; padding-block: 8px; color: var(--_muted); cursor: pointer; }
.scrollable { max-block-size: 24rem; overflow: auto; border: 1px solid var(--_line); border-radius: var(--_radius); }
table { inline-size: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 8px 12px; border-block-end: 1px solid var(--_line); text-align: start; vertical-align: top; }
tbody tr:last-child > * { border-block-end: 0; }
thead th { vertical-align: bottom; position: sticky; inset-block-start: 0; background: var(--_raised); color: var(--_muted); font-weight: 600; overflow-wrap: normal; }
tbody th { min-inline-size: 6.5rem; max-inline-size: 16rem; font-weight: 500; }
.number { text-align: end; white-space: nowrap; }
.people { margin-block-start: 32px; }
.people h2 { margin-block-end: 10px; }
.entries { display: grid; gap: 10px; padding: 0; list-style: none; }
.entries > li { padding: 14px 16px; border: 1px solid var(--_line); border-radius: var(--_radius); }
.entries h3 { margin-block-end: 4px; }
.described { white-space: pre-wrap; }
.facts { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 2px 14px; margin-block: 8px; }
.facts dt { color: var(--_muted); }
.facts dd { margin: 0; }
.choices { display: flex; flex-wrap: wrap; gap: 10px; margin-block-start: 12px; }
button:is([disabled], [aria-disabled="true"]) { opacity: .6; cursor: default; }
.part { margin-block-end: 28px; }
.part > h2 { margin-block-end: 10px; }
.log { padding: 0; list-style: none; }
.log li { display: grid; grid-template-columns: 13rem minmax(0, 1fr) minmax(0, 12rem); gap: 2px 16px; padding-block: 10px; border-block-end: 1px solid var(--_line); }
.log + button { margin-block-start: 16px; }
.log time, .log .who { color: var(--_muted); }
form { display: grid; gap: 22px; max-inline-size: 40rem; }
fieldset { display: grid; gap: 6px; margin: 0; padding: 0; border: 0; }
legend { margin-block-end: 4px; padding: 0; font-weight: 600; }
.choice { display: flex; gap: 10px; align-items: flex-start; min-block-size: 32px; padding-block: 4px; }
.choice input { flex: none; inline-size: 18px; block-size: 18px; margin: 3px 0 0; accent-color: var(--_accent); }
.choice:has(:disabled) { color: var(--_muted); }
.field, .field label { display: grid; gap: 4px; }
.field + .field { margin-block-start: 10px; }
.field input { inline-size: 14rem; }
.warning { margin-block-start: 16px; padding: 14px 16px; border: 1px solid var(--_three); border-radius: var(--_radius); }
.warning h2 { font-size: 1em; }
.warning ul { margin-block: 8px; padding-inline-start: 1.2em; }
dialog {
  margin: auto; max-inline-size: min(28rem, calc(100vw - 32px)); padding: 20px; border: 1px solid var(--_line); border-radius: var(--_radius);
  background: var(--_ground); color: var(--_text); font: var(--_font);
}
dialog::backdrop { background: rgb(0 0 0 / .45); }
dialog h2 { margin-block-end: 8px; }
@media (max-width: 40rem) { .log li { grid-template-columns: minmax(0, 1fr); } }
@media (prefers-reduced-motion: reduce) { .body { transition: none; } }
@media (forced-colors: active) { .bars rect, .swatch rect { forced-color-adjust: none; } .tabs button[aria-selected="true"] { border-block-end-color: Highlight; } }
`;
