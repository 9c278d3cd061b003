import { registry } from "@tfjs-zoo/models";
import type { Command } from "commander";
import { type CommonFlags, createOutput, jsonOption } from "../context.ts";
import { pretrainedCards } from "../pretrained.ts";
import { formatTable } from "../terminal/table.ts";

export function registerList(program: Command): void {
  program
    .command("list")
    .description("the networks of the zoo, and which weights there are")
    .addOption(jsonOption())
    .action(async (flags: CommonFlags) => {
      const cards = await pretrainedCards();
      const models = [...registry.values()].map(({ name, family, task, params, macs }) => ({
        name,
        family,
        task,
        params,
        macs,
        pretrained: cards
          .filter((card) => card.model === name)
          .map(({ tag, metric }) => ({ tag, dataset: metric.dataset, metric: metric.name, value: metric.value })),
      }));
      createOutput(flags).result(models, () =>
        formatTable(
          models.map(({ name, family, params, macs, pretrained }) => ({
            name,
            family,
            parameters: params.toLocaleString("en"),
            MACs: `${(macs / 1e6).toFixed(1)} M`,
            weights: pretrained.map(({ tag, metric, value }) => `${name}.${tag} (${figure(metric, value)})`).join(", "),
          })),
          [
            { key: "name" },
            { key: "family" },
            { key: "parameters", align: "right" },
            { key: "MACs", align: "right" },
            { key: "weights" },
          ],
        ),
      );
    });
}

const figure = (metric: string, value: number): string =>
  metric === "accuracy" ? `${(100 * value).toFixed(2)} %` : `${metric} ${value.toFixed(3)}`;
