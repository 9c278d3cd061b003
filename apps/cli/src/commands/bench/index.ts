import type { Command } from "commander";
import { registerData } from "./data.ts";
import { registerDecode } from "./decode.ts";
import { registerGrowth } from "./growth.ts";
import { registerMatrix } from "./matrix.ts";
import { registerMemory } from "./memory.ts";
import { registerSpeed } from "./speed.ts";

export function registerBench(program: Command): void {
  const bench = program.command("bench").description("measures speed beside peers, memory, data, and how cost grows");
  registerSpeed(bench);
  registerMemory(bench);
  registerData(bench);
  registerDecode(bench);
  registerGrowth(bench);
  registerMatrix(bench);
  for (const command of bench.commands) command.exitOverride().showSuggestionAfterError();
}
