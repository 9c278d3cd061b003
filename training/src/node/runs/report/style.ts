import { CHART_STYLE } from "../../../charts/style.ts";

/** The report's style sheet. */
export const STYLE = `${CHART_STYLE}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1060px; margin: 0 auto; padding: 56px 32px 72px; }
h1 { font-size: 17px; font-weight: 600; margin: 0; letter-spacing: -.005em; overflow-wrap: anywhere; }
h2 { font-size: 20px; font-weight: 600; letter-spacing: -.012em; margin: 0 0 6px; }
h3 { font-size: 14px; font-weight: 600; margin: 0; }
section { margin-top: 64px; }
section > p.lead { margin: 0 0 24px; color: var(--quiet); max-width: 66ch; }
.quiet { color: var(--quiet); }
.hero { font-size: clamp(52px, 9vw, 84px); font-weight: 650; letter-spacing: -.035em; line-height: 1.05; margin: 18px 0 2px -3px; overflow-wrap: anywhere; }
.hero-label { color: var(--quiet); margin: 0; }
.summary { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 20px 28px; margin: 36px 0 0; padding: 24px 0 0; border-top: 1px solid var(--rule); }
.summary div { min-width: 0; }
.summary dt { color: var(--quiet); font-size: 13px; }
.summary dd { margin: 1px 0 0; font-size: 17px; font-weight: 500; overflow-wrap: anywhere; }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 44px 48px; margin-top: 24px; }
.split { display: grid; grid-template-columns: minmax(0, 1fr) 250px; gap: 32px 48px; align-items: start; }
.bars { list-style: none; margin: 0; padding: 0; max-width: 720px; }
.bars.many { columns: 300px; column-gap: 48px; max-width: none; }
.bars li { display: grid; grid-template-columns: minmax(70px, 130px) 1fr 62px; gap: 14px; align-items: center; padding: 4px 0; break-inside: avoid; }
.bars .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bars .bar { background: var(--track); height: 12px; border-radius: 3px; overflow: hidden; }
.bars i { display: block; height: 100%; background: var(--blue); }
.number { text-align: right; white-space: nowrap; }

.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 28px 22px; }
.mistakes img { display: block; width: 100%; height: auto; aspect-ratio: 1; object-fit: contain; image-rendering: pixelated; background: var(--track); border-radius: 4px; }
.mistakes figcaption { font-size: 13.5px; line-height: 1.4; margin-top: 8px; overflow-wrap: anywhere; }
.mistakes b { font-weight: 600; }

.timing { display: flex; gap: 2px; height: 16px; border-radius: 4px; overflow: hidden; margin: 0 0 12px; }
.timing i { min-width: 2px; }
i.step { background: var(--blue); } i.data { background: var(--orange); } i.other { background: var(--grey); }

.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 40px 48px; align-items: start; }
.facts { border-collapse: collapse; width: 100%; font-size: 13.5px; margin-top: 8px; }
.facts th { text-align: left; font-weight: 400; color: var(--quiet); padding: 6px 16px 6px 0; vertical-align: top; white-space: nowrap; }
.facts td { padding: 6px 0; overflow-wrap: anywhere; }
.facts tr { border-top: 1px solid var(--rule); }

.comparison { border-collapse: collapse; width: 100%; font-size: 14px; }
.comparison th, .comparison td { text-align: right; padding: 7px 0 7px 18px; white-space: nowrap; }
.comparison th:first-child, .comparison td:first-child { text-align: left; padding-left: 0; }
.comparison thead th { font-weight: 400; color: var(--quiet); }
.comparison tbody tr { border-top: 1px solid var(--rule); }
.comparison i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 8px; background: var(--line); }

@media (max-width: 760px) {
  main { padding: 32px 16px 48px; }
  section { margin-top: 48px; }
  .split { grid-template-columns: minmax(0, 1fr); }
  .summary { grid-template-columns: repeat(2, 1fr); gap: 16px 20px; }
  .mistakes { grid-template-columns: repeat(auto-fill, minmax(96px, 1fr)); gap: 20px 14px; }
  .facts th { white-space: normal; width: 40%; }
}
@media print {
  :root { --page: #fff; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 12px; }
  main { padding: 0; max-width: none; }
  section { margin-top: 32px; }
  h2, h3 { break-after: avoid; }
  .chart, .mistakes figure, .confusion, .facts tr { break-inside: avoid; }
  .charts { grid-template-columns: 1fr 1fr; gap: 24px 28px; }
  .mistakes { grid-template-columns: repeat(6, 1fr); }
}
`;
