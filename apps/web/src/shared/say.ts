import { byId } from "./dom.ts";
import { messageOf } from "./message-of.ts";

/** Says what the page is doing, in #state. */
export function say(text: string): void {
  byId("state").textContent = text;
}

/** Says in #problem what went wrong; nothing takes it away. */
export function complain(text: string): void {
  byId("problem").textContent = text;
  byId("problem").hidden = text === "";
}

/** Runs what a user asked for, and says in one line what went wrong with it. */
export async function attempt(body: () => Promise<void>): Promise<void> {
  complain("");
  try {
    await body();
  } catch (error) {
    complain(messageOf(error));
    say("");
  }
}
