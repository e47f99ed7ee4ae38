/**
 * What the tests are told from outside.
 */
function needed(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; scripts/browser sets it`);
  return value;
}

export const environment = {
  url: needed('E2E_URL'),
  email: needed('E2E_EMAIL'),
  oneTimePassword: needed('E2E_PASSWORD'),
  softphone: needed('E2E_SOFTPHONE'),
  folder: needed('E2E_DIR'),
  chromium: process.env.E2E_CHROMIUM ?? '/usr/bin/chromium',
};

/** The password that replaces the one-time password. */
export const password = 'four friendly words here';

/** The signed-in browser's cookies, for all tests after the first. */
export const sessionFile = `${environment.folder}/session.json`;
