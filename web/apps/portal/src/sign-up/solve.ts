/**
 * Solving a puzzle of the server: the first number that makes enough of the hash zero.
 */
import type { Puzzle } from '@tandem/api';

import { firstBits } from './sha256';

/** At most 32 bits are asked for: more would take a browser for ever. */
export function solve({ text, bits }: Pick<Puzzle, 'text' | 'bits'>): number {
  for (let number = 0; ; number += 1) {
    if (Math.clz32(firstBits(`${text}:${number}`)) >= bits) return number;
  }
}
