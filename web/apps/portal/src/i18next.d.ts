import 'i18next';

import type { UiTexts } from '@tandem/ui/i18n';

import type { PortalTexts } from './texts/names';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'portal';
    // As plain objects: an interface has no index signature, which the types of i18next look for.
    resources: {
      ui: { [Name in keyof UiTexts]: UiTexts[Name] };
      portal: { [Name in keyof PortalTexts]: PortalTexts[Name] };
    };
  }
}
