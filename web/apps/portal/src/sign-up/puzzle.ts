/**
 * The puzzle of a form: asked for and solved as soon as the form is there, so that nobody has to wait when it is sent.
 */
import { makePuzzle } from '@tandem/api';
import { useEffect, useState } from 'react';

export interface Solution {
  puzzle: string;
  solution: number;
}

/** Gives a solution that was not used yet; another is worked on at once after it was taken. */
export function useSolution(): () => Promise<Solution> {
  const [work] = useState(() => new Work());
  useEffect(() => {
    work.begin();
    return () => work.end();
  }, [work]);
  return () => work.take();
}

class Work {
  private worker: Worker | undefined;
  private promise: Promise<Solution> | undefined;

  begin(): Promise<Solution> {
    this.promise = this.solve();
    // Whoever takes it hears of the failure.
    this.promise.catch(() => undefined);
    return this.promise;
  }

  async take(): Promise<Solution> {
    const solution = await (this.promise ?? this.begin()).catch(() => this.begin());
    void this.begin();
    return solution;
  }

  end(): void {
    this.worker?.terminate();
  }

  private async solve(): Promise<Solution> {
    const { text, bits } = await makePuzzle();
    this.end();
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    this.worker = worker;
    return new Promise((solved, failed) => {
      worker.addEventListener('message', ({ data }: MessageEvent<number>) => {
        worker.terminate();
        solved({ puzzle: text, solution: data });
      });
      worker.addEventListener('error', () => failed(new Error('the puzzle could not be solved')));
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker of our own
      worker.postMessage({ text, bits });
    });
  }
}
