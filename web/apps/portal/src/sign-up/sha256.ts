/**
 * SHA-256 (FIPS 180-4), for puzzles: many short texts one after the other. The browser's own is asynchronous, which takes longer than the
 * hash itself, and is missing where a portal is reached without TLS. Not for secrets.
 */

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const CONSTANTS = fractions(64, Math.cbrt);
/** The same of the square roots of the first 8. */
const START = fractions(8, Math.sqrt);

function fractions(count: number, root: (prime: number) => number): Uint32Array {
  const found: number[] = [];
  for (let number = 2; found.length < count; number += 1) {
    let prime = true;
    for (let divisor = 2; divisor * divisor <= number; divisor += 1) prime &&= number % divisor !== 0;
    if (prime) found.push((root(number) % 1) * 2 ** 32);
  }
  return Uint32Array.from(found);
}

const rotated = (word: number, bits: number) => (word >>> bits) | (word << (32 - bits));

/** The first 32 bits of the hash of a text in ASCII. */
export function firstBits(text: string): number {
  const state = START.slice();
  const words = new Uint32Array(64);
  const blocks = padded(text);
  for (let at = 0; at < blocks.length; at += 16) {
    words.set(blocks.subarray(at, at + 16));
    compress(state, words);
  }
  return state[0] ?? 0;
}

/** Section 5.1.1. */
function padded(text: string): Uint32Array {
  const length = text.length;
  const blocks = new Uint32Array(Math.ceil((length + 9) / 64) * 16);
  for (let at = 0; at <= length; at += 1) {
    const byte = at === length ? 0x80 : text.charCodeAt(at);
    blocks[at >> 2] = (blocks[at >> 2] ?? 0) | (byte << (24 - 8 * (at & 3)));
  }
  blocks[blocks.length - 1] = length * 8;
  return blocks;
}

/** Section 6.2.2. `words` holds the block in its first 16. */
function compress(state: Uint32Array, words: Uint32Array): void {
  for (let t = 16; t < 64; t += 1) {
    const early = words[t - 15]!;
    const late = words[t - 2]!;
    const small0 = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const small1 = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    words[t] = words[t - 16]! + small0 + words[t - 7]! + small1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  for (let t = 0; t < 64; t += 1) {
    const big1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const choice = (e & f) ^ (~e & g);
    const one = (h + big1 + choice + CONSTANTS[t]! + words[t]!) | 0;
    const big0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const two = (big0 + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, index) => {
    state[index] = state[index]! + word;
  });
}
