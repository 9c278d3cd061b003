import { classifiers } from "@tfjs-zoo/models";
import { checkNames } from "@tfjs-zoo/models/testing";
import { obey } from "./obey.ts";
import { tasks } from "./tasks.ts";

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const value = (id: string): string => element<HTMLInputElement>(id).value;
const say = (text: string): void => {
  element("state").textContent = text;
};

/** Shows rows of text under a heading. */
function show(heading: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[], tag: "th" | "td") => {
    const row = document.createElement("tr");
    for (const text of cells) row.append(Object.assign(document.createElement(tag), { textContent: text }));
    return row;
  };
  element("results").replaceChildren(line(heading, "th"), ...rows.map((row) => line(row, "td")));
}

async function measure(): Promise<void> {
  const [model, backend, batch, steps] = [
    value("model"),
    value("backend"),
    Number(value("batch")),
    Number(value("steps")),
  ];
  say(`preparing ${model} on ${backend} …`);
  await tasks.prepare({ model, backend, batch });
  const times: number[] = [];
  for (let i = 1; i <= steps; i++) {
    say(`step ${i} of ${steps}`);
    const begin = performance.now();
    await tasks.step();
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  say("");
  show(
    ["network", "backend", "batch", "step, ms", "images/s"],
    [[model, backend, String(batch), median.toFixed(1), ((1000 * batch) / median).toFixed(1)]],
  );
}

async function check(): Promise<void> {
  const rows: string[][] = [];
  for (const op of checkNames) {
    say(`checking ${op}`);
    const checks = await tasks.gradcheck({ backend: value("backend"), op });
    const worst = Math.max(...checks.map(({ maxError }) => maxError));
    rows.push([op, worst.toExponential(1), checks.every(({ ok }) => ok) ? "ok" : "WRONG"]);
    show(["op", "worst error", ""], rows);
  }
  say("");
}

/** Runs one thing at a time, and says what goes wrong. */
const alone = (body: () => Promise<void>) => async (): Promise<void> => {
  const buttons = document.querySelectorAll("button");
  for (const button of buttons) button.disabled = true;
  await body().catch((error: Error) => say(error.message));
  for (const button of buttons) button.disabled = false;
};

for (const name of classifiers.keys()) element("model").append(new Option(name, name, false, name === "resnet20"));
element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void alone(measure)();
});
element("check").addEventListener("click", alone(check));
if (location.hash === "#obey") void obey();
