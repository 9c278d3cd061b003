/** What the style sheet of reports has not: rows of pictures, points, bars in tables. */
export const EXPLAIN_STYLE = `
:root { --red: #c0143c; --olive: #5d7d00; }
@media (prefers-color-scheme: dark) { :root { --red: #ff7a85; --olive: #b7d64b; } }
.p0 { --line: var(--blue); } .p1 { --line: var(--orange); } .p2 { --line: var(--green); } .p3 { --line: var(--purple); }
.p4 { --line: var(--sky); } .p5 { --line: var(--brown); } .p6 { --line: var(--text); } .p7 { --line: var(--red); }
.p8 { --line: var(--olive); } .p9 { --line: var(--grey); }
header p { color: var(--quiet); margin: 6px 0 0; max-width: 66ch; }
.look { margin-top: 28px; }
.look h3 { margin-bottom: 10px; }
.row { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 20px 18px; }
.wide { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 28px 24px; align-items: start; }
.look img { display: block; width: 100%; height: auto; image-rendering: pixelated; background: var(--track); border-radius: 4px; }
.look .wide img { image-rendering: auto; }
.look figcaption { font-size: 13.5px; line-height: 1.4; margin-top: 7px; color: var(--quiet); overflow-wrap: anywhere; }
.scatter { max-width: 820px; }
.scatter > svg { display: block; width: 100%; height: auto; border: 1px solid var(--rule); border-radius: 6px; }
.scatter path { fill: var(--line); fill-opacity: .82; }
.scatter path.hollow { fill: none; stroke: var(--line); stroke-width: 1.6; }
.mark-key { width: 14px !important; height: 14px !important; margin-right: 5px; vertical-align: -2px; }
.shares .bar { display: inline-block; width: 84px; height: 9px; margin-right: 10px; background: var(--track); border-radius: 3px; overflow: hidden; }
.shares .bar i { display: block; height: 100%; margin: 0; border-radius: 0; background: var(--blue); }
.charts > figure:only-child { max-width: 560px; }
.charts + .scroll, .scroll + .charts { margin-top: 36px; }
@media (max-width: 760px) {
  .row { grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 16px 12px; }
}
@media print { .look { break-inside: avoid; } }
`;
