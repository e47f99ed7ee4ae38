/**
 * Putting the texts of many folders together.
 */
import type { Texts } from './texts';

/** One set of texts out of many files. A name at the top belongs to one file only. */
export function joined(files: Record<string, Texts>): Texts {
  const all: Texts = {};
  for (const [file, texts] of Object.entries(files)) {
    for (const [name, text] of Object.entries(texts)) {
      if (name in all) throw new Error(`${file}: another file has texts called ${name} too`);
      all[name] = text;
    }
  }
  return all;
}
