import { type Tasks, tasks } from "./tasks.ts";

/** What the program that opened this page asks for. */
interface Order {
  task: keyof Tasks;
  input: never;
}

/** Does what the page's server asks for, one thing after the other, until it is gone. */
async function obey(): Promise<void> {
  for (;;) {
    const answer = await fetch("order").catch(() => undefined);
    if (answer === undefined || !answer.ok) return;
    const { task, input } = (await answer.json()) as Order;
    let reply: object;
    try {
      reply = { output: await tasks[task](input) };
    } catch (error) {
      reply = { error: (error as Error).message };
    }
    await fetch("reply", { method: "POST", body: JSON.stringify(reply) });
  }
}

void obey();
