/**
 * Comparing the texts of two languages; for the tests of every place that has texts.
 */
export type Texts = Record<string, unknown>;

/** Every text as `key: {{placeholders}}`, sorted. Two languages with the same list are complete. */
export function outline(texts: Texts, prefix = ''): string[] {
  return Object.entries(texts)
    .flatMap(([key, value]) =>
      typeof value === 'object' && value !== null
        ? outline(value as Texts, `${prefix}${key}.`)
        : `${prefix}${key}: ${placeholders(String(value))}`,
    )
    .sort();
}

/** Keys whose text is empty. */
export function unwritten(texts: Texts): string[] {
  return Object.entries(texts).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null
      ? unwritten(value as Texts).map((rest) => `${key}.${rest}`)
      : String(value).trim() === ''
        ? [key]
        : [],
  );
}

function placeholders(text: string): string {
  return [...text.matchAll(/\{\{\w+(?:, \w+)?\}\}/g)]
    .map(([name]) => name)
    .sort()
    .join(' ');
}
