/** All English texts of the portal. */
import { joined } from '@tandem/ui/i18n';

export default joined(import.meta.glob('../*/texts.en.json', { eager: true, import: 'default' }));
