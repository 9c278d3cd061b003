/** Translates beside the page, so that the page stays usable. Orders are obeyed one after the other. */
import { messageOf } from "../shared/message-of.ts";
import { Interpreter } from "./interpreter.ts";
import type { Order, Report } from "./protocol.ts";

const report = (message: Report): void => self.postMessage(message);
const interpreter = new Interpreter((text) => report({ kind: "state", text }));

async function obey(order: Order): Promise<void> {
  try {
    report({ kind: "answer", answer: await interpreter.translate(order) });
  } catch (error) {
    report({ kind: "problem", text: messageOf(error) });
  }
}

let last = Promise.resolve();
self.addEventListener("message", ({ data }: MessageEvent<Order>) => {
  last = last.then(() => obey(data));
});
