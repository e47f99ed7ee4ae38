/**
 * Sentences of the server in the person's language.
 */
import { Refusal } from '@tandem/api';
import { useTranslation } from 'react-i18next';

import { translator, type Catalogue, type Translate } from './translate';

/** Where the catalogue stands among the texts of a language that has one. */
export const CATALOGUE = 'sentences of the server';

const translators = new WeakMap<Catalogue, Translate>();

function translatorOf(catalogue: Catalogue): Translate {
  const known = translators.get(catalogue) ?? translator(catalogue);
  translators.set(catalogue, known);
  return known;
}

export function useSentence(): Translate {
  const { i18n } = useTranslation();
  const texts = i18n.getResourceBundle(i18n.language, 'portal') as Record<string, Catalogue> | undefined;
  const catalogue = texts?.[CATALOGUE];
  return catalogue ? translatorOf(catalogue) : (sentence) => sentence;
}

/** What the server said when it refused something; nothing when it did not answer. */
export function useRefusalText(): (error: unknown) => string | undefined {
  const sentence = useSentence();
  return (error) => (error instanceof Refusal ? sentence(error.message) : undefined);
}
