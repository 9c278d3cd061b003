import { setTimeout as pause } from "node:timers/promises";

/** What takes part: `run` takes steps and tells the milliseconds of each. */
export interface Runner {
  readonly name: string;
  run(steps: number): Promise<number[]>;
}

export interface AlternateOptions {
  /** steps of each that count, at least */
  steps: number;
  /** Steps in a turn, at least. */
  stepsPerRound?: number;
  /**
   * Milliseconds that a turn takes at least: more steps where they are short. A turn's first steps find threads asleep and
   * caches that hold what is another's, which no training knows.
   */
  turnMs?: number;
  /** Milliseconds between turns: threads of a pool spin for a moment after their last task. */
  pauseMs?: number;
  onTurn?: (name: string, done: number, total: number) => void;
}

/**
 * Lets runners take turns, never two at a time, so that whatever else the machine does meets them all alike. Each first
 * has a round that does not count, and tells how long its steps are.
 *
 * @returns for each runner, in their order, the milliseconds of each step
 */
export async function alternate(runners: readonly Runner[], options: AlternateOptions): Promise<number[][]> {
  const { steps, stepsPerRound = 5, turnMs = 300, pauseMs = 100, onTurn = () => {} } = options;
  const rounds = [Math.min(stepsPerRound, steps)];
  for (let left = steps; left > 0; left -= stepsPerRound) rounds.push(Math.min(stepsPerRound, left));
  const lastMs = runners.map(() => 0); // the last step of the first round
  const times = runners.map((): number[] => []);
  const total = rounds.length * runners.length;
  let done = 0;
  for (const [round, count] of rounds.entries()) {
    for (const [index, runner] of runners.entries()) {
      onTurn(runner.name, done, total);
      const enough = round === 0 ? 0 : Math.ceil(turnMs / Math.max(lastMs[index], 1));
      const measured = await runner.run(Math.max(count, enough));
      if (round > 0) times[index].push(...measured);
      else lastMs[index] = measured[measured.length - 1];
      done++;
      if (pauseMs > 0 && runners.length > 1) await pause(pauseMs);
    }
  }
  return times;
}
