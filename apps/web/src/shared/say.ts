import { byId } from "./dom.ts";
import { messageOf } from "./message-of.ts";

/** A part of a page that says what it is doing, and what went wrong. */
export interface Voice {
  /** Says what is being done. */
  say(text: string): void;
  /** Says what went wrong; nothing takes it away. */
  complain(text: string): void;
  /** Runs what a user asked for, and says in one line what went wrong with it. */
  attempt(body: () => Promise<void>): Promise<void>;
}

/** The voice of two elements that are live regions: a status, and an alert, which is hidden while there is none. */
export function voiceOf(state: () => HTMLElement, problem: () => HTMLElement): Voice {
  const say = (text: string) => {
    state().textContent = text;
  };
  const complain = (text: string) => {
    problem().textContent = text;
    problem().hidden = text === "";
  };
  const attempt = async (body: () => Promise<void>) => {
    complain("");
    try {
      await body();
    } catch (error) {
      complain(messageOf(error));
      say("");
    }
  };
  return { say, complain, attempt };
}

/** The page's own voice, of #state and #problem. */
export const { say, complain, attempt } = voiceOf(
  () => byId("state"),
  () => byId("problem"),
);
