/** In a file of its own, so that it is loaded when it is asked for. */
export { ShortcutHelp } from '@tandem/ui';
