/**
 * The style sheet of charts and confusion matrices. Blue and orange (Okabe & Ito's palette, told apart by all kinds of
 * colour vision), each in a form for light and for dark; a series is also told apart by its dashes or dots.
 */
export const CHART_STYLE = `
:root {
  color-scheme: light dark;
  --page: #fdfdfc; --text: #1d2126; --quiet: #667080; --rule: #e4e6e9; --track: #eef0f2;
  --blue: #0068a8; --orange: #c65200; --grey: #9aa3ad;
  --green: #007d5b; --purple: #a4487d; --sky: #2b93c9; --brown: #8a6d00; --blue-rgb: 0 104 168; --orange-rgb: 213 94 0; --on-strong: #fff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181c; --text: #e6e8ea; --quiet: #98a2ae; --rule: #2b3138; --track: #242a30;
    --blue: #5db8ec; --orange: #f0a136; --grey: #6a7480;
    --green: #35c79b; --purple: #e093c0; --sky: #9ad6f5; --brown: #d9bd4a; --blue-rgb: 93 184 236; --orange-rgb: 240 161 54; --on-strong: #0d1013;
  }
}
figure { margin: 0; min-width: 0; }
.chart svg[data-chart] { display: block; width: 100%; height: auto; touch-action: pan-y; }
.chart text { fill: var(--quiet); font-size: 12px; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 2px 0 8px; font-size: 13px; color: var(--quiet); }
.legend b { font-weight: 600; color: var(--text); }
.chart figcaption { display: grid; grid-template-columns: auto 1fr; column-gap: 16px; align-items: baseline; }
.chart .legend { grid-column: 1 / -1; }
.where { font-size: 13px; color: var(--quiet); text-align: right; }
.key { white-space: nowrap; }
.key svg { width: 22px; height: 10px; margin-right: 6px; }
.key i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 7px; }
.grid { stroke: var(--rule); stroke-width: 1; fill: none; }
.axis, .tick { stroke: var(--grey); stroke-width: 1; fill: none; }
.guide { stroke: var(--quiet); stroke-width: 1; fill: none; }
.s0 { --line: var(--blue); } .s1 { --line: var(--orange); } .s2 { --line: var(--green); } .s3 { --line: var(--purple); }
.s4 { --line: var(--sky); } .s5 { --line: var(--brown); } .s6 { --line: var(--text); } .s7 { --line: var(--grey); }
.line, .key path { fill: none; stroke: var(--line); stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
.s1 .line, .key.s1 path { stroke-dasharray: 5 3.5; }
.s2 .line, .key.s2 path { stroke-dasharray: 2 3; }
.s3 .line, .key.s3 path { stroke-dasharray: 8 3 2 3; }
.s4 .line, .key.s4 path, .s6 .line, .key.s6 path { stroke-dasharray: 9 4; }
.s5 .line, .key.s5 path, .s7 .line, .key.s7 path { stroke-dasharray: 1 4; }
.band { fill: var(--line); opacity: .16; stroke: none; }
.mark { fill: var(--line); }
.hover circle { fill: var(--page); stroke: var(--line); stroke-width: 2; }

.scroll { overflow-x: auto; }
.confusion { border-collapse: separate; border-spacing: 2px; width: 100%; table-layout: fixed; font-size: 13px; }
.confusion th { font-weight: 400; color: var(--quiet); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.confusion thead th:first-child { width: 92px; }
.confusion thead th { height: 92px; vertical-align: bottom; padding: 0 0 6px; }
.confusion thead span { writing-mode: vertical-rl; transform: rotate(180deg); max-height: 88px; overflow: hidden; text-overflow: ellipsis; }
.confusion tbody th { text-align: right; padding: 0 8px 0 0; }
.confusion td { height: 34px; padding: 0; text-align: center; border-radius: 3px; background: var(--track); }
.confusion td.right { background: rgb(var(--blue-rgb) / calc(var(--w) * .95)); }
.confusion td.wrong { background: rgb(var(--orange-rgb) / calc(var(--w) * .8)); }
.confusion td.none { color: var(--grey); background: none; }
.confusion td.strong { color: var(--on-strong); }
.confusion td.wrong.strong { color: #0d1013; }
.confusion-map { width: 100%; max-width: 680px; background: var(--track); display: block; }
.confusion-map .right { fill: rgb(var(--blue-rgb) / var(--w)); }
.confusion-map .wrong { fill: rgb(var(--orange-rgb) / var(--w)); }
.confusions { list-style: none; margin: 8px 0 0; padding: 0; font-size: 13.5px; }
.confusions li { padding: 5px 0; border-top: 1px solid var(--rule); display: flex; gap: 5px; flex-wrap: wrap; overflow-wrap: anywhere; }
.confusions .number { margin-left: auto; }

@media (max-width: 760px) {
  .confusion { font-size: 11px; border-spacing: 1px; }
  .confusion td { height: 27px; border-radius: 2px; }
  .confusion thead th:first-child { width: 68px; }
  .confusion thead th { height: 72px; }
  .confusion thead span { max-height: 68px; }
}
`;
