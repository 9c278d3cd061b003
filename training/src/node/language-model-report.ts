import type { LanguageModelResult } from "./language-model-result.ts";
import { renderReport } from "./runs/report.ts";
import { reportHistory } from "./runs/report-history.ts";
import type { RunFolder } from "./runs/run-folder.ts";

/** The report of a finished run of a language model, as one HTML document. */
export async function languageModelReport(run: RunFolder, result: LanguageModelResult): Promise<string> {
  const { loss, perplexity, testTokens, epochs, seconds, dataSeconds, stepSeconds, itemsPerSecond } = result;
  return renderReport({
    title: `${result.model} on ${result.dataset}`,
    summary: [
      { label: `held-out loss, nats a token, ${testTokens.toLocaleString("en")} tokens`, value: loss.toFixed(4) },
      { label: "perplexity", value: perplexity.toFixed(3) },
      { label: "epochs", value: String(epochs) },
      { label: "training time", value: `${(seconds / 60).toFixed(1)} min` },
      { label: "tokens/s", value: itemsPerSecond.toFixed(0) },
    ],
    history: reportHistory(await run.readMetrics()),
    classes: [],
    timing: { dataSeconds, stepSeconds, otherSeconds: Math.max(0, seconds - dataSeconds - stepSeconds) },
    config: run.config,
    env: await run.readEnvironment(),
  });
}
