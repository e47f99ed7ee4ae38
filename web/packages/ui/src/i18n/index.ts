/**
 * Languages. English is built in; every other language is loaded when it is chosen.
 *
 * Texts live beside what shows them, as `texts.en.json` and `texts.de.json` of a folder with a `texts.d.ts` that
 * tells the compiler their names. A test of the components and one of each application hold the languages to the
 * same keys.
 */
import { createInstance } from 'i18next';
import { initReactI18next } from 'react-i18next';

import en from './en';
import type { Texts } from './texts';

export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Names of the languages, each in itself. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', de: 'Deutsch' };

const KEY = 'tandem.language';
const i18n = createInstance();

export { joined } from './join';
export type { UiTexts } from './names';
export type { Texts } from './texts';

/** Texts of one application under its name: English at once, the others on demand. */
export interface AppTexts {
  name: string;
  en: Texts;
  load: Record<Exclude<Language, 'en'>, () => Promise<Texts>>;
}

let app: AppTexts | undefined;

/** The kept choice if there is one, else the first of the browser's languages that we speak, else English. */
export function pickLanguage(kept: string | null, wanted: readonly string[]): Language {
  const tags = kept ? [kept, ...wanted] : wanted;
  for (const tag of tags) {
    const language = LANGUAGES.find((known) => tag.toLowerCase().split('-')[0] === known);
    if (language) return language;
  }
  return 'en';
}

export async function startTexts(texts: AppTexts): Promise<void> {
  app = texts;
  await i18n.use(initReactI18next).init({
    lng: 'en',
    fallbackLng: 'en',
    ns: ['ui', texts.name],
    defaultNS: texts.name,
    resources: { en: { ui: en, [texts.name]: texts.en } },
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
  await show(pickLanguage(localStorage.getItem(KEY), navigator.languages));
}

export async function chooseLanguage(language: Language): Promise<void> {
  localStorage.setItem(KEY, language);
  await show(language);
}

async function show(language: Language) {
  if (language !== 'en' && app && !i18n.hasResourceBundle(language, app.name)) {
    const [own, shared] = await Promise.all([app.load[language](), import('./de')]);
    i18n.addResourceBundle(language, app.name, own);
    i18n.addResourceBundle(language, 'ui', shared.default);
  }
  await i18n.changeLanguage(language);
  document.documentElement.lang = language;
}
