import { InputError } from "@tfjs-zoo/models";

/**
 * Fetches one of the site's files, from the network or from what is kept on this device.
 *
 * @param url absolute, so that a worker can fetch it too
 * @param bytes how long it is
 * @param onShare is told how much of it is here, 0 to 1
 * @throws InputError when it can't be had, or has another length
 */
export async function fetchFile(url: string, bytes: number, onShare = (_: number): void => {}): Promise<Uint8Array> {
  const name = url.slice(url.lastIndexOf("/") + 1);
  if (!navigator.onLine && !(await globalThis.caches?.match(url, { ignoreVary: true }))) {
    throw new InputError(
      `${name} is not kept on this device yet, and this device is offline: try again with a network`,
    );
  }
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok || response.body === null) {
    throw new InputError(
      `${name} can't be fetched (the server says ${response?.status ?? "nothing"}): try again later`,
    );
  }
  const whole = new Uint8Array(bytes);
  const reader = response.body.getReader();
  let at = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (at + part.value.length <= bytes) whole.set(part.value, at);
    at += part.value.length;
    onShare(Math.min(1, at / bytes));
  }
  if (at !== bytes) throw new InputError(`${name} has ${at} bytes, ${bytes} expected: reload the page`);
  return whole;
}
