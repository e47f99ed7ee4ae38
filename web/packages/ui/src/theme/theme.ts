/**
 * Light, dark or as the system has it. The choice is kept in this browser.
 */
import { useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'tandem.theme';
const listeners = new Set<() => void>();

/** What is shown for a choice on a system that prefers dark or does not. */
export function shownTheme(choice: Theme, system: { prefersDark: boolean }): 'light' | 'dark' {
  if (choice !== 'system') return choice;
  return system.prefersDark ? 'dark' : 'light';
}

/** Reads a kept choice; anything unknown means `system`. */
export function parseTheme(kept: string | null): Theme {
  return THEMES.find((theme) => theme === kept) ?? 'system';
}

function current(): Theme {
  return parseTheme(localStorage.getItem(KEY));
}

function paint() {
  const prefersDark = matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.theme = shownTheme(current(), { prefersDark });
  for (const listener of listeners) listener();
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  paint();
}

/** Paints now and whenever the system or another tab changes its mind. Called once, before the first render. */
export function startTheme(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);
  window.addEventListener('storage', paint);
  paint();
}

export function useTheme(): Theme {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
