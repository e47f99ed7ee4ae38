/**
 * What the server says, in another language than its own.
 *
 * The server speaks English only. Its sentences are the keys of a catalogue, as in gettext, with `{{name}}` where a value stands. A
 * sentence that the catalogue does not know, such as the words of somebody's mail server, stays as it is.
 */
export type Catalogue = Readonly<Record<string, string>>;

export type Translate = (sentence: string) => string;

interface Pattern {
  matches: RegExp;
  names: string[];
  translated: string;
  /** How much of it is said in so many words. */
  fixed: number;
}

const VALUE = /\{\{(\w+)\}\}/g;

export function translator(catalogue: Catalogue): Translate {
  const patterns = Object.entries(catalogue)
    .filter(([sentence]) => sentence.includes('{{'))
    .map(patternOf)
    // Where two fit, the one that says more is meant.
    .sort((one, other) => other.fixed - one.fixed);
  const whole = (sentence: string): string | undefined => {
    if (Object.hasOwn(catalogue, sentence)) return catalogue[sentence];
    for (const pattern of patterns) {
      const values = pattern.matches.exec(sentence);
      if (values) return filled(pattern, values.slice(1));
    }
    return undefined;
  };
  return (sentence) => whole(sentence) ?? withDetail(sentence, whole) ?? sentence;
}

/** `A sentence. (a detail)`, each translated as far as it is known. */
function withDetail(text: string, whole: (sentence: string) => string | undefined): string | undefined {
  const [, sentence = '', detail = ''] = /^(.*[.!?]) \((.*)\)$/s.exec(text) ?? [];
  const translated = whole(sentence);
  return translated && `${translated} (${whole(detail) ?? detail})`;
}

function patternOf([sentence, translated]: [string, string]): Pattern {
  const parts = sentence.split(VALUE);
  const fixed = parts.filter((_, index) => index % 2 === 0);
  return {
    matches: new RegExp(`^${fixed.map(literally).join('(.+)')}$`, 's'),
    names: parts.filter((_, index) => index % 2 === 1),
    translated,
    fixed: fixed.join('').length,
  };
}

function literally(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function filled({ names, translated }: Pattern, values: readonly string[]): string {
  return translated.replaceAll(VALUE, (_, name: string) => values[names.indexOf(name)] ?? '');
}
