/** Measures and checks beside the page, so that the page stays usable. */
import { messageOf } from "../shared/message-of.ts";
import { checkOps } from "./check-ops.ts";
import { measureSpeed } from "./measure-speed.ts";
import type { Order, Report } from "./protocol.ts";

const report = (message: Report): void => self.postMessage(message);

async function obey(order: Order): Promise<void> {
  try {
    if (order.kind === "speed") report({ kind: "speed", speed: await measureSpeed(order, say) });
    else for await (const found of checkOps(order.backend)) report({ kind: "checked", ...found });
    report({ kind: "done" });
  } catch (error) {
    report({ kind: "problem", text: messageOf(error) });
  }
}

const say = (text: string): void => report({ kind: "state", text });

self.addEventListener("message", ({ data }: MessageEvent<Order>) => void obey(data));
