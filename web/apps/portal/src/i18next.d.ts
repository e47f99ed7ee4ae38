import 'i18next';

import type ui from '../../../packages/ui/src/i18n/en.json';
import type portal from './texts/en.json';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'portal';
    resources: { ui: typeof ui; portal: typeof portal };
  }
}
