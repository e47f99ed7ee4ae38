/**
 * The page an activation link opens, and what it must not do.
 */
import { expect, test } from '@playwright/test';

import { firstTenant, makeDevice } from './portal';

test('opening the link uses nothing up and tells nobody the token', async ({ page, browser, request }) => {
  const tenant = await firstTenant(request);
  const { device } = await makeDevice(request, tenant, 'Link');
  await page.goto(`/t/${tenant.slug}/devices/${device.id}`);
  const link = (await page.getByTestId('activation-link').textContent()) ?? '';
  const token = new URL(link).hash.slice(1);

  const visitor = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const opened = await visitor.newPage();
  const requests: string[] = [];
  opened.on('request', (sent) => {
    requests.push(
      `${sent.method()} ${sent.url()} ${JSON.stringify(sent.headers())} ${sent.postData() ?? ''}`,
    );
  });
  // The link names the public address, which need not be the one the tests use.
  await opened.goto(`/activate#${token}`);
  await expect(opened.getByRole('heading', { name: 'Activate your softphone' })).toBeVisible();

  const open = opened.getByRole('link', { name: 'Open the softphone' });
  await expect(open).toHaveAttribute('href', new RegExp(`^tandem:activate\\?portal=http.*&token=${token}$`));
  await expect(opened.getByText(`softphone activate --link '`)).toContainText(`/activate#${token}'`);
  expect(requests.filter((sent) => sent.includes(token))).toEqual([]);
  expect(requests.filter((sent) => sent.includes('/api/'))).toEqual([]);
  await visitor.close();

  const path = `/api/v1/tenants/${tenant.id}/devices/${device.id}/activation`;
  expect(await (await request.get(path)).json()).toMatchObject({ state: 'open', link });
});
