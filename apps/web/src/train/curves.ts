import { renderChart } from "@tfjs-zoo/training/charts";
import type { History } from "./protocol.ts";

export const emptyHistory = (): History => ({ loss: [], accuracy: [], heldOutLoss: [], heldOutAccuracy: [] });

/** Loss and accuracy as HTML, while training and afterwards. */
export function renderCurves({ loss, accuracy, heldOutLoss, heldOutAccuracy }: History): string {
  const lossChart = renderChart({
    title: "Loss",
    axis: "log",
    series: [
      { name: "training", points: loss },
      { name: "held out", points: heldOutLoss },
    ],
  });
  const accuracyChart = renderChart({
    title: "Accuracy",
    axis: "share",
    series: [
      { name: "training", points: accuracy },
      { name: "held out", points: heldOutAccuracy },
    ],
  });
  return lossChart + accuracyChart;
}
