import type texts from './texts.en.json';

type Area = typeof texts;

declare module '../texts/names' {
  interface PortalTexts extends Area {}
}
