import { startBackend } from "./index.ts";

const t = Date.now();
let last = "";
const r = await startBackend("auto", {
  progress: (e) => {
    if (e.label !== last) {
      last = e.label;
      console.log("  ", ((Date.now() - t) / 1000).toFixed(1), e.label, e.total ?? "");
    }
  },
});
console.log(((Date.now() - t) / 1000).toFixed(1), r.name);
for (const s of r.statuses) console.log("  ", s.name, s.ok, s.reason);
process.exit(0);
