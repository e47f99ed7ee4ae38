/**
 * Keyboard shortcuts: registered in one place, so that one page can show them all.
 *
 * They are off while somebody types or a dialog is open; `everywhere` ones work in text fields too.
 */
import { useEffect, useId, useSyncExternalStore } from 'react';
import { useHotkeys } from 'react-hotkeys-hook';

export interface Shortcut {
  /** As react-hotkeys-hook writes keys: `mod+k`, or `g>c` for one after the other. A sign such as `?` is itself. */
  keys: string;
  label: string;
  /** Shortcuts with the same heading are shown together. */
  group: string;
}

interface ShortcutOptions extends Shortcut {
  run: () => void;
  everywhere?: boolean;
  disabled?: boolean;
}

let registered: readonly (Shortcut & { id: string })[] = [];
const listeners = new Set<() => void>();

function change(next: typeof registered) {
  registered = next;
  for (const listener of listeners) listener();
}

export function useShortcut(options: ShortcutOptions): void {
  const { keys, label, group, run, everywhere = false, disabled = false } = options;
  const id = useId();
  useEffect(() => {
    if (disabled) return;
    change([...registered, { id, keys, label, group }]);
    return () => change(registered.filter((shortcut) => shortcut.id !== id));
  }, [id, keys, label, group, disabled]);
  useHotkeys(
    keys,
    run,
    {
      enabled: !disabled,
      enableOnFormTags: everywhere,
      enableOnContentEditable: everywhere,
      preventDefault: true,
      useKey: isSign(keys),
      ignoreEventWhen: dialogOpen,
    },
    [run],
  );
}

/** All shortcuts that work on the page that is shown. */
export function useShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => registered,
  );
}

/** A toast is an `alertdialog` too, in a region of its own, and stands in nobody's way. */
function dialogOpen(): boolean {
  const dialogs = document.querySelectorAll('[role="dialog"], [role="alertdialog"]');
  return [...dialogs].some((dialog) => dialog.closest('[role="region"]') === null);
}

/** A single sign, wherever it lies on the keyboard. */
function isSign(keys: string): boolean {
  return /^[^\w\s]$/.test(keys);
}

/** The keys as they are written on keyboards, in the order in which they are pressed. */
export function keyNames(keys: string, mac: boolean): string[] {
  const names: Record<string, string> = { mod: mac ? '⌘' : 'Ctrl', shift: '⇧', alt: mac ? '⌥' : 'Alt' };
  return keys.split(/[+>]/).map((key) => names[key] ?? key.toUpperCase());
}

export function isMac(): boolean {
  return /mac|iphone|ipad/i.test(navigator.userAgent);
}
