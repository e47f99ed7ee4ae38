/** All English texts of the components. */
import { joined } from './join';

export default joined(import.meta.glob('../*/texts.en.json', { eager: true, import: 'default' }));
