/**
 * What every page is held to.
 */
import type { Page } from '@playwright/test';

/** Errors of scripts, and whatever the content security policy stopped. */
export function watch(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    const text = message.text();
    // A visitor's question for the session is refused, which the browser reports as an error; and axe looks into the frame of a mail,
    // in which nothing may run.
    const expected = text.includes('401') || text.includes("script execution in 'about:srcdoc'");
    if (message.type() === 'error' && !expected) complaints.push(text);
  });
  return complaints;
}

/** Pixels by which the page is wider than the window. */
export function sticksOut(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));
}
