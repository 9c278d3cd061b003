import type { LanguageModelResult } from "./language-model-result.ts";
import { runReport } from "./run-result.ts";
import type { RunFolder } from "./runs/run-folder.ts";

/** The report of a finished run of a language model, as one HTML document. */
export function languageModelReport(run: RunFolder, result: LanguageModelResult): Promise<string> {
  const { model, dataset, loss, perplexity, testTokens } = result;
  return runReport(run, result, {
    title: `${model} on ${dataset}`,
    figures: [
      { label: `held-out loss, nats a token, ${testTokens.toLocaleString("en")} tokens`, value: loss.toFixed(4) },
      { label: "perplexity", value: perplexity.toFixed(3) },
    ],
    items: "tokens",
  });
}
