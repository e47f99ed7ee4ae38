/** All German texts of the components. */
import { joined } from './join';

export default joined(import.meta.glob('../*/texts.de.json', { eager: true, import: 'default' }));
