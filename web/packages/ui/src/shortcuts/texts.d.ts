import type texts from './texts.en.json';

type Area = typeof texts;

declare module '../i18n/names' {
  interface UiTexts extends Area {}
}
