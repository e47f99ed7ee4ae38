/**
 * Light, dark or as the system has it; roomy or compact. The choices are kept in this browser.
 */
import { kept } from './kept';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Compact shows more rows; where fingers point, targets keep their size. */
export const DENSITIES = ['comfortable', 'compact'] as const;
export type Density = (typeof DENSITIES)[number];

const theme = kept('tandem.theme', THEMES);
const density = kept('tandem.density', DENSITIES);

export const chooseTheme = theme.choose;
export const useTheme = theme.use;
export const chooseDensity = density.choose;
export const useDensity = density.use;

/** What is shown for a choice on a system that prefers dark or does not. */
export function shownTheme(choice: Theme, system: { prefersDark: boolean }): 'light' | 'dark' {
  if (choice !== 'system') return choice;
  return system.prefersDark ? 'dark' : 'light';
}

/** Paints now and whenever the system or another tab changes its mind. Called once, before the first render. */
export function startTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const { dataset } = document.documentElement;
  const paint = () => {
    dataset.theme = shownTheme(theme.now(), { prefersDark: dark.matches });
  };
  dark.addEventListener('change', paint);
  theme.start(paint);
  density.start((choice) => {
    dataset.density = choice;
  });
}
