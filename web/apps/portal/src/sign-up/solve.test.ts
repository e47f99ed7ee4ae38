import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { firstBits } from './sha256';
import { solve } from './solve';

function first(text: string): number {
  return createHash('sha256').update(text, 'ascii').digest().readUInt32BE();
}

describe('puzzles', () => {
  it('are hashed as everybody hashes', () => {
    expect(firstBits('abc')).toBe(0xba7816bf);
    // Around the end of a block, where the padding changes.
    for (const length of [0, 1, 3, 54, 55, 56, 57, 63, 64, 65, 119, 120, 200]) {
      const text = 'x1.'.repeat(70).slice(0, length);
      expect(firstBits(text), `${length}`).toBe(first(text));
    }
  });

  it('are solved by the first number that fits', () => {
    const text = 'EKr2.10.1795225555.signature';
    const number = solve({ text, bits: 10 });
    expect(Math.clz32(first(`${text}:${number}`))).toBeGreaterThanOrEqual(10);
    for (let smaller = 0; smaller < number; smaller += 1) {
      expect(Math.clz32(first(`${text}:${smaller}`))).toBeLessThan(10);
    }
  });
});
