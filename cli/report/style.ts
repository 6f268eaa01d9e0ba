/** A page's whole style: light and dark as the reader has it, one column on a phone, and ink on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #fbfbf9; --ink: #1d2125; --quiet: #59636e; --rule: #d5d9de; --track: #eceef0;
  --pending: #b7791f; --current: #1a6b4a; --grace: #7aa7d9; --bad: #b3261e; --focus: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --ink: #e6e9ec; --quiet: #9aa5b1; --rule: #333a41; --track: #22272c;
    --pending: #e0a84a; --current: #4cba8b; --grace: #5f8fc6; --bad: #ff8a80; --focus: #8ab4f8;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
header p, section > p { overflow-wrap: anywhere; }
p { margin: .25rem 0; }
.quiet, .told, .axis { color: var(--quiet); }
.verdict { font-weight: 600; color: var(--current); }
.verdict.broken { color: var(--bad); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1rem 0 0; padding: 0; }
.figures div { border-top: 2px solid var(--rule); padding-top: .35rem; }
.figures dt { color: var(--quiet); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.figures dd.bad { color: var(--bad); }
.key { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .9rem; }
.key i { display: inline-block; position: static; width: 1.4rem; height: .7rem; margin-right: .4rem; border-radius: 2px; }
.lanes { list-style: none; margin: .75rem 0 0; padding: 0; }
.lanes .name { overflow-wrap: anywhere; }
.lanes li { display: grid; grid-template-columns: 9rem 1fr; gap: 0 .75rem; align-items: center; padding: .35rem .25rem; }
.name { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85rem; }
.track { position: relative; height: 1.3rem; background: var(--track); border-radius: 3px; }
.told { grid-column: 2; font-size: .8rem; }
.bar { position: absolute; top: .2rem; height: .9rem; min-width: 3px; }
.pending { background: var(--pending); }
.current { background: var(--current); }
.grace { background: var(--grace); background-image: repeating-linear-gradient(135deg, transparent 0 4px, var(--page) 4px 5px); }
.bar.unknown, .key i.unknown { background: var(--track); border: 1px dashed var(--quiet); }
.mark { position: absolute; top: -.1rem; transform: translateX(-50%); font-size: .9rem; line-height: 1.5rem; text-shadow: 0 0 3px var(--page), 0 0 3px var(--page); }
.mark.revoked { color: var(--bad); }
.axis { display: flex; justify-content: space-between; margin-left: 9.75rem; padding: 0 .25rem; font-size: .8rem; }
details { border-top: 1px solid var(--rule); padding: .5rem 0; }
summary { cursor: pointer; padding: .25rem; }
.days { display: flex; align-items: flex-end; gap: 2px; height: 7rem; margin: 0; padding: 0; list-style: none; border-bottom: 1px solid var(--rule); }
.days li { flex: 1; display: flex; flex-direction: column; justify-content: flex-end; height: 100%; min-width: 2px; }
.days i { display: block; background: var(--current); }
.days i.refused { background: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--rule); }
th { font-size: .85rem; color: var(--quiet); font-weight: 500; }
td { min-width: 6rem; overflow-wrap: anywhere; }
.happened { table-layout: fixed; }
.happened th:first-child { width: 11rem; }
.happened th:nth-child(2) { width: 28%; }
td .name { font-size: .75rem; }
tbody th { padding-top: 1rem; color: var(--ink); font-weight: 600; overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; }
@media screen and (max-width: 40rem) {
  .scroll table { min-width: 44rem; }
  .lanes li { grid-template-columns: 1fr; }
  .told { grid-column: 1; }
  .axis { margin-left: 0; }
}
@page { margin: 15mm; }
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --ink: #000; --quiet: #444; --rule: #bbb; --track: #eee;
    --pending: #b7791f; --current: #1a6b4a; --grace: #7aa7d9; --bad: #b3261e;
  }
  body { max-width: none; padding: 0 .4rem; font-size: 10pt; }
  .skip { display: none; }
  .bar, .track, .key i, .days i { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .lanes li, tr, .figures div { break-inside: avoid; }
  h2, h3, tbody tr:first-child { break-after: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  td { min-width: 0; }
  .happened th:first-child { width: 8rem; }
  .name, td .name { font-size: 7pt; }
}
`;
