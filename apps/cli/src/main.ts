#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { registerBench } from "./commands/bench/index.ts";
import { registerCompare } from "./commands/compare/index.ts";
import { registerData } from "./commands/data.ts";
import { registerDoctor } from "./commands/doctor.ts";
import { registerEval } from "./commands/eval.ts";
import { registerExplain } from "./commands/explain/index.ts";
import { registerExport } from "./commands/export.ts";
import { registerGenerate } from "./commands/generate.ts";
import { registerGradcheck } from "./commands/gradcheck.ts";
import { registerImport } from "./commands/import.ts";
import { registerList } from "./commands/list.ts";
import { registerMeasure } from "./commands/measure/index.ts";
import { registerPredict } from "./commands/predict.ts";
import { registerPublish } from "./commands/publish.ts";
import { registerPull } from "./commands/pull.ts";
import { registerQuantize } from "./commands/quantize.ts";
import { registerSample } from "./commands/sample/index.ts";
import { registerSpeedrun } from "./commands/speedrun.ts";
import { registerTrain } from "./commands/train/index.ts";
import { registerTranslate } from "./commands/translate.ts";
import { errorLine, exitCodeOf } from "./context.ts";

const program = new Command("zoo")
  .description("Train, check and use the networks of tfjs-zoo")
  .version("0.1.0")
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(`${text.trim().replace(/\n\s*/g, " ")}\n`) });

for (const register of [
  registerList,
  registerTrain,
  registerSpeedrun,
  registerCompare,
  registerEval,
  registerPredict,
  registerGenerate,
  registerTranslate,
  registerSample,
  registerMeasure,
  registerBench,
  registerGradcheck,
  registerDoctor,
  registerData,
  registerExplain,
  registerExport,
  registerImport,
  registerPull,
  registerPublish,
  registerQuantize,
]) {
  register(program);
}
for (const command of program.commands) command.copyInheritedSettings(program);

/** Ends the process once what was printed has left it; some backends keep Node alive otherwise. */
function exit(code: number): void {
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
}

try {
  await program.parseAsync();
  exit(Number(process.exitCode ?? 0));
} catch (error) {
  if (error instanceof CommanderError) {
    exit(error.exitCode === 0 ? 0 : 2); // help and version end with 0; commander has printed the rest
  } else {
    process.stderr.write(`error: ${errorLine(error)}\n`);
    exit(exitCodeOf(error));
  }
}
