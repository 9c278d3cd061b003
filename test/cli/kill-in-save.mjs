// Loaded before the zoo command: kills the process in the middle of a save, as a power cut would.
//   ZOO_TEST_KILL=write:2    half of the 2nd checkpoint is written
//   ZOO_TEST_KILL=rename:2   the 2nd checkpoint is complete under its temporary name
//   ZOO_TEST_KILL=renamed:2  the 2nd checkpoint has just got its name
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const [moment, nth] = (process.env.ZOO_TEST_KILL ?? ":0").split(":");
const isCheckpoint = (path) => String(path).includes("last.safetensors");
let count = 0;

function die() {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => {});
}

const { open, rename } = fs.promises;

fs.promises.open = async (path, ...rest) => {
  const handle = await open(path, ...rest);
  if (moment === "write" && isCheckpoint(path) && ++count === Number(nth)) {
    handle.writeFile = async (data) => {
      await handle.write(data, 0, Math.floor(data.length / 2));
      await die();
    };
  }
  return handle;
};

fs.promises.rename = async (from, to) => {
  const due = moment.startsWith("rename") && isCheckpoint(to) && ++count === Number(nth);
  if (due && moment === "rename") await die();
  await rename(from, to);
  if (due) await die();
};

syncBuiltinESMExports();
