/**
 * Solves beside the page, which stays usable meanwhile.
 */
import { solve } from './solve';

self.addEventListener('message', ({ data }: MessageEvent<{ text: string; bits: number }>) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker speaks with its own page only
  self.postMessage(solve(data));
});
