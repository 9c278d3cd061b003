import { InputError } from "@tfjs-zoo/models";
import type { Backend } from "../shared/backend-name.ts";
import { keepFiles } from "../shared/offline.ts";
import type { Pretrained } from "../shared/pretrained.ts";
import type { GeneratorFacts, GeneratorOrder, GeneratorQuestion, GeneratorReport } from "./protocol.ts";

interface Waiting {
  resolve(answer: GeneratorReport): void;
  reject(error: Error): void;
  say(text: string): void;
}

/** A network in the worker that makes images of z. */
export interface RemoteGenerator extends GeneratorFacts {
  name: string;
  /** @param z [n][latent]  @returns [n, height, width, channels], 0 to 1 */
  make(z: readonly (readonly number[])[], label?: number): Promise<Float32Array>;
  /** @param images [n, height, width, channels], 0 to 1  @returns [n · latent] */
  encode(images: Float32Array): Promise<Float32Array>;
}

/** Asks the worker that makes images of z. It is started when it is first asked. */
export class Generators {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private questions = 0;

  /** @param backend that is chosen now */
  constructor(private readonly backend: () => Backend) {}

  /**
   * @param say is told what the worker does before it answers
   * @throws InputError when its weights can't be had, or are not what their card says
   */
  async open(entry: Pretrained, say: (text: string) => void): Promise<RemoteGenerator> {
    const opened = await this.ask(entry, { kind: "open" }, say);
    if (opened.kind !== "opened") throw new Error(`the worker opened nothing: ${opened.kind}`);
    void keepFiles([entry.file]);
    const valuesOf = async (question: GeneratorQuestion) => {
      const answer = await this.ask(entry, question, say);
      if (answer.kind !== "values") throw new Error(`the worker gave no values: ${answer.kind}`);
      return answer.values;
    };
    return {
      ...opened.facts,
      name: entry.name,
      make: (z, label) => valuesOf({ kind: "make", z: Float32Array.from(z.flat()), label }),
      encode: (images) => valuesOf({ kind: "encode", images }),
    };
  }

  private ask(entry: Pretrained, question: GeneratorQuestion, say: Waiting["say"]): Promise<GeneratorReport> {
    this.worker ??= this.start();
    const order: GeneratorOrder = { id: this.questions++, entry, backend: this.backend(), ...question };
    const answer = new Promise<GeneratorReport>((resolve, reject) => {
      this.waiting.set(order.id, { resolve, reject, say });
    });
    this.worker.postMessage(order);
    return answer;
  }

  private start(): Worker {
    const worker = new Worker(new URL("./generator-worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<GeneratorReport>) => this.hear(data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      worker.terminate();
      this.worker = undefined;
      const why = event.message || "their worker can't be loaded";
      for (const { reject } of this.waiting.values()) {
        reject(new InputError(`The networks do not start in this browser: ${why}`));
      }
      this.waiting.clear();
    });
    return worker;
  }

  private hear(report: GeneratorReport): void {
    if (report.kind === "state") {
      const [first] = this.waiting.values(); // orders are obeyed one after the other
      first?.say(report.text);
      return;
    }
    const asked = this.waiting.get(report.id);
    this.waiting.delete(report.id);
    if (report.kind === "problem") asked?.reject(new InputError(report.text));
    else asked?.resolve(report);
  }
}
