/**
 * The person's own access: the second factor from its first code to its end, proving anew who one is, and other sessions.
 */
import { createHmac } from 'node:crypto';

import { AxeBuilder } from '@axe-core/playwright';
import { expect, test, type Page } from '@playwright/test';

import { environment, password } from './environment';
import { sticksOut } from './pages';

/** The code of a key so many steps from now (RFC 6238, six digits, SHA-1, 30 seconds). */
function codeOf(key: string, steps: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...key].map((sign) => alphabet.indexOf(sign).toString(2).padStart(5, '0')).join('');
  const bytes = bits.match(/.{8}/g)?.map((byte) => Number.parseInt(byte, 2)) ?? [];
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const digest = createHmac('sha1', Buffer.from(bytes)).update(counter).digest();
  const offset = digest.readUInt8(19) & 0xf;
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}

async function looksRight(page: Page, name: string) {
  for (const width of [360, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    const path = `${environment.folder}/screens/${name}-${width}.png`;
    await page.screenshot({ path, fullPage: true, animations: 'disabled' });
    expect(await sticksOut(page), `${name} at ${width}`).toBe(0);
  }
  // What the library reads out about a button stays for a moment when the button is gone, without its name.
  const { violations } = await new AxeBuilder({ page }).exclude('[data-live-announcer]').analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
}

async function signIn(page: Page) {
  await page.goto('/sign-in');
  await page.getByLabel('E-mail').fill(environment.email);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

test('a second factor is turned on, asked for at a sign-in, and turned off', async ({ page, browser }) => {
  await page.goto('/security');
  await page.getByRole('button', { name: 'Turn on' }).click();
  const shown = await page.getByTestId('second-factor-key').textContent();
  const key = (shown ?? '').replaceAll(' ', '');
  await expect(page.getByRole('img', { name: /QR code with the key/ })).toBeVisible();
  await looksRight(page, 'second-factor-set-up');

  await page.getByRole('textbox', { name: 'Code' }).fill('12345');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await expect(page.getByText(/This is not the code that the app should show/)).toBeVisible();
  await page.getByRole('textbox', { name: 'Code' }).fill(codeOf(key, 0));
  // That the session cannot be read again must not cost the only copy of the codes.
  await page.route('**/api/v1/session', (route) => route.fulfill({ status: 503 }));
  await page.getByRole('button', { name: 'Turn on' }).click();
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
  await expect(codes).toHaveCount(10);
  await page.unroute('**/api/v1/session');
  await test.step('they are not lost by going back too early', async () => {
    await page.getByRole('link', { name: 'Back' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stay here' }).click();
    await expect(codes).toHaveCount(10);
  });
  const recovery = (await codes.first().textContent()) ?? '';
  await looksRight(page, 'recovery-codes');
  const saved = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Save as a file' }).click();
  expect((await saved).suggestedFilename()).toBe('tandem-recovery-codes.txt');
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await expect(page.getByText('10 recovery codes are left.')).toBeVisible();

  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const other = await context.newPage();
  await test.step('a sign-in asks for a code', async () => {
    await signIn(other);
    await expect(other.getByRole('heading', { name: 'Second factor' })).toBeVisible();
    await looksRight(other, 'second-step');
    await other.getByRole('textbox', { name: 'Code' }).fill('000000');
    await other.getByRole('button', { name: 'Sign in' }).click();
    await expect(other.getByRole('alert')).toContainText('The code is wrong');
    await other.getByRole('textbox', { name: 'Code' }).fill(codeOf(key, 1));
    await other.getByRole('button', { name: 'Sign in' }).click();
    await expect(other).toHaveURL(/\/t\/[a-z0-9-]+$/);
  });

  await test.step('who leaves a browser open is asked anew, and goes on where they were', async () => {
    await page.route(
      '**/api/v1/session/second-factor',
      (route) =>
        route.fulfill({
          status: 403,
          contentType: 'application/problem+json',
          json: { type: 'confirmation-required', title: 'Forbidden', status: 403, detail: 'Confirm.' },
        }),
      { times: 1 },
    );
    await page.getByRole('button', { name: 'Turn off' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
    const dialog = page.getByRole('dialog', { name: 'Is it you?' });
    await dialog.getByRole('textbox', { name: 'Password' }).fill('wrong');
    await dialog.getByRole('textbox', { name: 'Code' }).fill(recovery);
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await expect(dialog.getByText('This is not your password.')).toBeVisible();
    await looksRight(page, 'confirmation');
    await dialog.getByRole('textbox', { name: 'Password' }).fill(password);
    await dialog.getByRole('button', { name: 'Confirm' }).click();
    await expect(page.getByRole('dialog')).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Turn on' })).toBeVisible();
  });

  await test.step('what was proved by before is out elsewhere', async () => {
    expect((await other.request.get('/api/v1/session')).status()).toBe(401);
  });
  await context.close();
});

test('somebody sees where they are signed in and ends it', async ({ page, browser }) => {
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const other = await context.newPage();
  await signIn(other);
  await expect(other).toHaveURL(/\/t\/[a-z0-9-]+$/);

  await page.goto('/');
  await page.getByRole('button', { name: /^Menu of/ }).click();
  await page.getByRole('menuitem', { name: 'Profile and security' }).click();
  await expect(page.getByRole('heading', { name: 'Where you are signed in' })).toBeVisible();
  const sessions = page.getByRole('list', { name: 'Where you are signed in' }).getByRole('listitem');
  await expect(sessions.filter({ hasText: 'This one' })).toHaveCount(1);
  await expect(sessions.first()).toContainText('Chrome, Windows');
  await looksRight(page, 'security');

  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere else' }).click();
  await expect(sessions).toHaveCount(1);
  expect((await other.request.get('/api/v1/session')).status()).toBe(401);
  expect((await page.request.get('/api/v1/session')).status()).toBe(200);
  await context.close();
});
