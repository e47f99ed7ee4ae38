/**
 * Every page in both themes and at three widths: accessible, inside the window, and with nothing that the
 * content security policy had to stop.
 */
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test } from '@playwright/test';

import { environment } from './environment';
import { sticksOut, watch } from './pages';
import { firstTenant, makeDevice, type Made, type Tenant } from './portal';

const WIDTHS = [360, 768, 1440];

interface Place {
  name: string;
  path: string;
  /** Seen by visitors: without a session. */
  outside?: boolean;
}

function places(tenant: Tenant, made: Made): Place[] {
  const t = `/t/${tenant.slug}`;
  return [
    { name: 'sign-in', path: '/sign-in', outside: true },
    { name: 'activate', path: '/activate#AbCdEfGhIjKlMnOpQrStUv', outside: true },
    { name: 'activate-incomplete', path: '/activate', outside: true },
    { name: 'set-password', path: '/set-password' },
    { name: 'security', path: '/security' },
    { name: 'forgot-password', path: '/forgot-password', outside: true },
    { name: 'new-password', path: `/new-password#${'x'.repeat(43)}`, outside: true },
    { name: 'new-address', path: `/new-address#${'x'.repeat(43)}`, outside: true },
    { name: 'link-incomplete', path: '/invitation', outside: true },
    { name: 'sign-up', path: '/sign-up', outside: true },
    { name: 'confirm', path: `/confirm#${'x'.repeat(43)}`, outside: true },
    { name: 'sign-on', path: '/sign-on', outside: true },
    { name: 'signed-on', path: '/signed-on', outside: true },
    { name: 'not-found', path: '/nowhere' },
    { name: 'overview', path: t },
    { name: 'providers', path: `${t}/providers` },
    { name: 'provider-new', path: `${t}/providers/new` },
    { name: 'addresses', path: `${t}/addresses` },
    { name: 'accounts', path: `${t}/accounts` },
    { name: 'account-new', path: `${t}/accounts/new` },
    { name: 'account', path: `${t}/accounts/${made.account.id}` },
    { name: 'calls', path: `${t}/calls` },
    { name: 'calls-filtered', path: `${t}/calls?outcome=missed&from=2026-01-01&search=1002` },
    { name: 'webhooks', path: `${t}/webhooks` },
    { name: 'webhook-new', path: `${t}/webhooks/new` },
    { name: 'team', path: `${t}/team` },
    { name: 'sign-on-settings-empty', path: `${t}/settings/sign-on` },
    { name: 'retention', path: `${t}/settings/retention` },
    { name: 'audit', path: `${t}/audit` },
    { name: 'api-keys', path: `${t}/api-keys` },
    { name: 'api-key-new', path: `${t}/api-keys/new` },
    { name: 'mail', path: `${t}/mail` },
    { name: 'mails', path: `${t}/mails` },
    { name: 'mails-filtered', path: `${t}/mails?state=failed&kind=test` },
    { name: 'mailbox', path: `${t}/mailbox` },
    { name: 'contact-new-phone', path: `${t}/contacts/new?phone=on` },
    { name: 'contacts', path: `${t}/contacts` },
    { name: 'imports', path: `${t}/contacts/import` },
    { name: 'contact-new', path: `${t}/contacts/new` },
    { name: 'contact', path: `${t}/contacts/${made.contact.id}` },
    { name: 'contact-phone', path: `${t}/contacts/${made.contact.id}/phone` },
    { name: 'devices', path: `${t}/devices` },
    { name: 'device-new', path: `${t}/devices/new` },
    { name: 'device', path: `${t}/devices/${made.device.id}` },
    { name: 'device-edit', path: `${t}/devices/${made.device.id}/edit` },
    { name: 'device-print', path: `${t}/devices/${made.device.id}/print` },
  ];
}

const LOOKS = [
  { theme: 'light', density: 'comfortable' },
  { theme: 'dark', density: 'comfortable' },
  { theme: 'light', density: 'compact' },
] as const;

for (const { theme, density } of LOOKS) {
  test(`every page is accessible and fits in ${theme} and ${density}`, async ({ browser, request }) => {
    test.setTimeout(240_000);
    const tenant = await firstTenant(request);
    const made = await makeDevice(request, tenant, `Pages ${theme} ${density}`);
    const inside = await browser.newContext({ colorScheme: theme });
    const outside = await browser.newContext({
      colorScheme: theme,
      storageState: { cookies: [], origins: [] },
    });

    for (const context of [inside, outside]) {
      await context.addInitScript((space) => {
        // A frame with a preview has no storage.
        if (window === window.top) localStorage.setItem('tandem.density', space);
      }, density);
    }

    for (const place of places(tenant, made)) {
      await test.step(place.name, async () => {
        const page = await (place.outside ? outside : inside).newPage();
        const complaints = watch(page);
        await page.goto(place.path);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        await expect(page.getByRole('status', { name: 'Loading…' })).toHaveCount(0);
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          const path = `${environment.folder}/screens/${place.name}-${width}-${theme}-${density}.png`;
          // Once in some thousand pictures Chromium never answers: it is asked again.
          const picture = { path, fullPage: true, animations: 'disabled', timeout: 20_000 } as const;
          await expect(() => page.screenshot(picture)).toPass({ timeout: 60_000 });
          expect(await sticksOut(page), `${place.name} at ${width}`).toBe(0);
        }
        // A preview of a mail is in a frame that runs no script, so axe would wait for it for ever.
        const { violations } = await new AxeBuilder({ page }).exclude('iframe').analyze();
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
        expect(complaints).toEqual([]);
        await page.close();
      });
    }
    await inside.close();
    await outside.close();
  });
}

test('dialogs and menus are accessible', async ({ page, request }) => {
  const tenant = await firstTenant(request);
  const { device } = await makeDevice(request, tenant, 'Dialogs');
  await page.goto(`/t/${tenant.slug}/devices/${device.id}`);

  await page.getByRole('button', { name: 'Reset' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await page.getByRole('button', { name: /^Menu of/ }).click();
  await expect(page.getByRole('menu')).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
});

test('the pages come with the headers that protect them', async ({ request }) => {
  for (const path of ['/', '/sign-in', '/activate', '/t/somewhere/devices']) {
    const headers = (await request.get(path)).headers();
    const policy = headers['content-security-policy'] ?? '';
    expect(policy, path).toContain("default-src 'none'");
    expect(policy, path).toContain("frame-ancestors 'none'");
    expect(policy, path).toMatch(/script-src 'self'(;|$)/);
    expect(headers['x-content-type-options'], path).toBe('nosniff');
    expect(headers['referrer-policy'], path).toBe('no-referrer');
  }
});
