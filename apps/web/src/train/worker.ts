/** Trains beside the page, so that the page stays usable. */
import { messageOf } from "../shared/message-of.ts";
import type { Order, Report } from "./protocol.ts";
import { Session } from "./session.ts";

const report = (message: Report): void => self.postMessage(message);
const session = new Session(report);

async function obey(order: Order): Promise<void> {
  if (order.kind === "stop") return session.stop();
  try {
    if (order.kind === "train") await session.train(order);
    else if (order.kind === "open") await session.open(order);
    else await session.save();
  } catch (error) {
    report({ kind: "problem", text: messageOf(error) });
  }
  report({ kind: "done" });
}

self.addEventListener("message", ({ data }: MessageEvent<Order>) => void obey(data));
