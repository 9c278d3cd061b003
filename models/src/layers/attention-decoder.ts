import * as tf from "@tensorflow/tfjs-core";
import type * as tfl from "@tensorflow/tfjs-layers";
import { additiveAttention } from "../ops/additive-attention.ts";
import { attention, attentionWeights } from "../ops/attention.ts";
import { attentiveLstm } from "../ops/attentive-lstm.ts";
import { concatAll } from "../ops/concat.ts";
import { dense } from "../ops/dense.ts";
import { gru } from "../ops/gru.ts";
import { lstm } from "../ops/lstm.ts";
import { eachStep } from "../ops/recurrence.ts";
import { ZooLayer } from "./zoo-layer.ts";

export interface AttentionDecoderConfig {
  name?: string;
  /** d: numbers in the state */
  units: number;
  cell?: "lstm" | "gru";
  /** `bahdanau`: looks with the state before a step, and reads what it saw; `luong`: looks with the state behind it */
  style?: "bahdanau" | "luong";
  /** of a query and a key; `dot` needs a memory as wide as the state */
  score?: "additive" | "general" | "dot";
  /** Luong's: each step also reads what the one before made of its state and what it saw (sec. 3.3) */
  inputFeeding?: boolean;
  /** Whether Bahdanau's output has what was seen beside the state. */
  showsContext?: boolean;
  /** Whether the first state is made of the encoder's last, tanh(W h), not of zeros. */
  bridge?: boolean;
}

/** What a step needs of the sentence that was read. */
export interface Memory {
  /** states of the encoder h [batch, places, m] */
  values: tf.Tensor;
  /** U h [batch, places, d] for the additive score */
  keys: tf.Tensor;
  /** int32 [batch] */
  lengths: tf.Tensor;
}

/**
 * A recurrent decoder that looks back at a memory in every step (Bahdanau, Cho & Bengio 2015, sec. 3.1 and A.1.2; Luong,
 * Pham & Manning 2015, sec. 3).
 *
 *   bahdanau:  c = attention(W s, memory)        s′ = cell([x; c], s)             output [s′; c]
 *   luong:     s′ = cell([x; s̃], s)              c = attention(s′, memory)        s̃′ = tanh(W_c [c; s′])        output s̃′
 *
 * Inputs: x [batch, time, e], memory [batch, places, m], its keys [batch, places, d], lengths int32 [batch], and with a
 * bridge the encoder's last states [batch, layers · directions, m / directions], of an LSTM h and c
 *
 * -> [batch, time, d + m], or [batch, time, d] with Luong's style, and where the context is not shown
 */
export class AttentionDecoder extends ZooLayer {
  static readonly className = "ZooAttentionDecoder";
  readonly units: number;
  readonly cell: "lstm" | "gru";
  readonly style: "bahdanau" | "luong";
  readonly score: "additive" | "general" | "dot";
  readonly inputFeeding: boolean;
  readonly showsContext: boolean;
  readonly bridge: boolean;
  private readonly named: { [weight: string]: tfl.LayerVariable } = {};

  constructor(config: AttentionDecoderConfig) {
    super(config);
    this.units = config.units;
    this.cell = config.cell ?? "lstm";
    this.style = config.style ?? "bahdanau";
    this.score = config.score ?? "additive";
    this.inputFeeding = config.inputFeeding ?? true;
    this.showsContext = config.showsContext ?? true;
    this.bridge = config.bridge ?? true;
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const [[, , e], [, , m]] = inputShape as [number, number, number][];
    const { units: d, cell, style, score } = this;
    const add = (name: string, ...shape: number[]) => {
      this.named[name] = this.newWeight(name, shape);
    };
    const fed = style === "luong" ? (this.inputFeeding ? d : 0) : m;
    const wide = (cell === "lstm" ? 4 : 3) * d;
    add("weight_ih", e + fed, wide);
    add("weight_hh", d, wide);
    add("bias_ih", wide);
    add("bias_hh", wide);
    if (score === "additive") {
      add("query.weight", d, d);
      add("query.bias", d);
      add("v", d);
    } else if (score === "general") add("query.weight", d, m);
    if (style === "luong") {
      add("combine.weight", m + d, d);
      add("combine.bias", d);
    }
    for (const state of this.bridge ? this.stateNames : []) {
      add(`bridge_${state}.weight`, m, d);
      add(`bridge_${state}.bias`, d);
    }
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const [x, values, keys, lengths, ...last] = inputs as tf.Tensor[];
      const memory = { values, keys, lengths };
      let state = this.firstState(x.shape[0], last);
      if (this.style === "bahdanau" && this.score === "additive" && this.cell === "lstm") {
        return this.allSteps(x, memory, state);
      }
      const outputs: tf.Tensor[] = [];
      for (const now of eachStep(x)) {
        const next = this.step(now, memory, state);
        outputs.push(next.output);
        state = next.state;
      }
      return tf.stack(outputs, 1); // [batch, time, …]
    });
  }

  /** All steps in one op. */
  private allSteps(x: tf.Tensor, memory: Memory, [h0, c0]: readonly tf.Tensor[]): tf.Tensor {
    const { weight: queryWeight, bias: queryBias } = this.weightAndBias("query");
    const ofQuery = { queryWeight, queryBias, v: this.read("v") };
    const [y, seen] = attentiveLstm.all({ x, ...this.cellWeights(), ...ofQuery, ...memory, h0, c0 });
    return this.showsContext ? concatAll([y, seen]) : y;
  }

  /**
   * Where each step looks.
   *
   * @param x [batch, time, e]  @param state before the first step, as `firstState` returned it
   * @returns [batch, time, places]; rows sum to 1
   */
  weightsOf(x: tf.Tensor, memory: Memory, state: readonly tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const all: tf.Tensor[] = [];
      let before = state;
      for (const now of eachStep(x)) {
        const next = this.step(now, memory, before);
        const looked = this.style === "bahdanau" ? before[0] : next.state[0]; // [batch, d]
        all.push(next.weights ?? this.productWeights(looked, memory));
        before = next.state;
      }
      return tf.stack(all, 1); // [batch, time, places]
    });
  }

  /** @param last the encoder's last states [batch, layers · directions, m / directions] each, if there is a bridge */
  firstState(batch: number, last: readonly tf.Tensor[]): tf.Tensor[] {
    const { units: d } = this;
    const states = this.stateNames.map((name, k) => {
      if (!this.bridge) return tf.zeros([batch, d]);
      const given = this.weightAndBias(`bridge_${name}`);
      const [, cells, width] = last[k].shape as [number, number, number];
      const top = given.weight.shape[0] / width; // the directions of the encoder's last layer
      const x = tf.reshape(tf.slice(last[k], [0, cells - top, 0], [batch, top, width]), [batch, -1]); // [batch, m]
      return tf.tanh(dense({ x, ...given })); // [batch, d]
    });
    return this.feeds ? [...states, tf.zeros([batch, d])] : states;
  }

  /**
   * One step.
   *
   * @param x [batch, e]  @param state as `firstState` or a step returned it
   * @returns the output [batch, …], the state behind it, and where it looked [batch, places], if the score is additive
   */
  step(
    x: tf.Tensor,
    memory: Memory,
    state: readonly tf.Tensor[],
  ): { output: tf.Tensor; state: tf.Tensor[]; weights?: tf.Tensor } {
    const before = state.slice(0, this.stateNames.length);
    if (this.style === "bahdanau") {
      const { context, weights } = this.look(before[0], memory);
      const after = this.advance(concatAll([x, context]), before);
      return { output: this.showsContext ? concatAll([after[0], context]) : after[0], state: after, weights };
    }
    const after = this.advance(this.feeds ? concatAll([x, state[state.length - 1]]) : x, before);
    const { context, weights } = this.look(after[0], memory);
    const seen = concatAll([context, after[0]]); // [batch, m + d]
    const output = tf.tanh(dense({ x: seen, ...this.weightAndBias("combine") }));
    return { output, state: this.feeds ? [...after, output] : after, weights };
  }

  /** What a state sees of the memory: [batch, m]. */
  private look(s: tf.Tensor, { values, keys, lengths }: Memory): { context: tf.Tensor; weights?: tf.Tensor } {
    if (this.score === "additive") {
      const query = dense({ x: s, ...this.weightAndBias("query") }); // [batch, d]
      const [context, weights] = additiveAttention.all({ query, keys, v: this.read("v"), values, lengths });
      return { context, weights };
    }
    const one = attention({ q: this.productQuery(s), k: values, v: values, lengths }, { scale: 1 });
    return { context: tf.squeeze(one, [1]) };
  }

  /** Where a state looks, for scores that are products: [batch, places]. */
  private productWeights(s: tf.Tensor, { values, lengths }: Memory): tf.Tensor {
    return tf.squeeze(attentionWeights({ q: this.productQuery(s), k: values, lengths }, { scale: 1 }), [1, 2]);
  }

  /** [batch, 1, m] */
  private productQuery(s: tf.Tensor): tf.Tensor {
    return tf.expandDims(this.score === "general" ? dense({ x: s, weight: this.read("query.weight") }) : s, 1);
  }

  /** One step of the cell: [batch, in], and its states [batch, d]. */
  private advance(x: tf.Tensor, [h0, c0]: readonly tf.Tensor[]): tf.Tensor[] {
    const given = {
      x: tf.expandDims(x, 1), // [batch, 1, in]
      ...this.cellWeights(),
      h0,
    };
    const [, ...after] = this.cell === "lstm" ? lstm.all({ ...given, c0 }) : gru.all(given);
    return after;
  }

  private get stateNames(): readonly ("h" | "c")[] {
    return this.cell === "lstm" ? ["h", "c"] : ["h"];
  }

  /** Whether a step reads what the one before made. */
  private get feeds(): boolean {
    return this.style === "luong" && this.inputFeeding;
  }

  private read(name: string): tf.Tensor {
    return this.named[name].read();
  }

  private cellWeights() {
    return {
      weightIh: this.read("weight_ih"),
      weightHh: this.read("weight_hh"),
      biasIh: this.read("bias_ih"),
      biasHh: this.read("bias_hh"),
    };
  }

  private weightAndBias(name: string): { weight: tf.Tensor; bias: tf.Tensor } {
    return { weight: this.read(`${name}.weight`), bias: this.read(`${name}.bias`) };
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape {
    const [[batch, time], [, , m]] = inputShape as tfl.Shape[];
    const shown = this.style === "bahdanau" && this.showsContext ? (m as number) : 0;
    return [batch, time, this.units + shown];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { units, cell, style, score, inputFeeding, showsContext, bridge } = this;
    return { ...super.getConfig(), units, cell, style, score, inputFeeding, showsContext, bridge };
  }
}
tf.serialization.registerClass(AttentionDecoder);
