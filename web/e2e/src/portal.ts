/**
 * The portal as a test sees it: the tenant of the signed-in person, and things made ready through the HTTP API.
 */
import { expect, type APIRequestContext, type Page } from '@playwright/test';

import { password } from './environment';

export interface Tenant {
  id: string;
  slug: string;
  name: string;
}

interface Session {
  tenants: Tenant[];
}

/** The first tenant. */
export async function firstTenant(api: APIRequestContext): Promise<Tenant> {
  const answer = await api.get('/api/v1/session');
  expect(answer.ok()).toBe(true);
  const { tenants } = (await answer.json()) as Session;
  if (!tenants[0]) throw new Error('the administrator has no tenant');
  return tenants[0];
}

/** Proves anew who the signed-in person is: what matters asks for it ten minutes after the sign-in. */
export async function confirmPerson(api: APIRequestContext): Promise<void> {
  const answer = await api.post('/api/v1/session/confirmation', { data: { password } });
  expect(answer.status(), await answer.text()).toBe(204);
}

async function created<T>(api: APIRequestContext, path: string, data: unknown): Promise<T> {
  const answer = await api.post(path, { data });
  expect(answer.status(), await answer.text()).toBe(201);
  return (await answer.json()) as T;
}

/** Another tenant, with nothing in it. */
export async function makeTenant(api: APIRequestContext, name: string): Promise<Tenant> {
  return created<Tenant>(api, '/api/v1/tenants', { name });
}

export interface Made {
  contact: { id: string };
  account: { id: string; username: string };
  device: { id: string };
}

let count = 0;

/** A contact with an account on a device that waits for activation; names are new every time. */
export async function makeDevice(api: APIRequestContext, tenant: Tenant, name: string): Promise<Made> {
  count += 1;
  const base = `/api/v1/tenants/${tenant.id}`;
  const providers = (await (await api.get(`${base}/providers`)).json()) as {
    items: { id: string; own: boolean }[];
  };
  const provider = providers.items.find(({ own }) => own);
  const username = `7${Date.now() % 100_000_000}${count}`;
  const account = await created<Made['account']>(api, `${base}/accounts`, {
    provider_id: provider?.id,
    name: `${name} line`,
    username,
  });
  const contact = await created<Made['contact']>(api, `${base}/contacts`, {
    first_name: name,
    last_name: 'Tester',
    emails: [{ address: `tester${username}@example.com`, label: 'work' }],
  });
  const device = await created<Made['device']>(api, `${base}/devices`, {
    name,
    contact_id: contact.id,
    account_ids: [account.id],
  });
  return { contact, account, device };
}

/** Chooses from a field that opens a list. */
export async function choose(page: Page, field: string | RegExp, option: string | RegExp): Promise<void> {
  await page.getByRole('button', { name: field }).click();
  await page.getByRole('option', { name: option }).click();
}

/** Types into a field that searches, and takes the first that is found, all by keyboard. */
export async function search(page: Page, field: string | RegExp, text: string): Promise<void> {
  const box = page.getByRole('combobox', { name: field });
  // Until the answer is there, the list shows what was found before.
  const answer = page.waitForResponse(
    (response) => new URL(response.url()).searchParams.get('search') === text,
  );
  await box.fill(text);
  await answer;
  await expect(page.getByRole('option').first()).toContainText(text);
  await box.press('ArrowDown');
  await box.press('Enter');
}
