import { expect, it } from "vitest";
import { Message } from "./protobuf.ts";

// The examples of protobuf.dev's "Encoding", and Python's `google.protobuf` for the others.
const cases: [string, Message, number[]][] = [
  ["150", new Message().int(1, 150), [0x08, 0x96, 0x01]],
  ["0", new Message().int(1, 0), [0x08, 0x00]],
  ["-2", new Message().int(1, -2), [0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ["2^40", new Message().int(1, 2 ** 40), [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20]],
  ["a repeated number", new Message().int(4, [1, 2]), [0x20, 0x01, 0x20, 0x02]],
  ["a text", new Message().text(2, "testing"), [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67]],
  ["a text beyond ASCII", new Message().text(2, "é"), [0x12, 0x02, 0xc3, 0xa9]],
  ["a message in another", new Message().message(3, new Message().int(1, 150)), [0x1a, 0x03, 0x08, 0x96, 0x01]],
  ["1.5", new Message().float(2, 1.5), [0x15, 0x00, 0x00, 0xc0, 0x3f]],
  ["a field above 15", new Message().int(20, 1), [0xa0, 0x01, 0x01]],
];
it.each(cases)("%s", (_, message, bytes) => {
  expect([...message.finish()]).toEqual(bytes);
});
