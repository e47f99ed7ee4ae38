import type { MailSettings } from '@tandem/api';
import { expect, test } from 'vitest';

import { formOf, inputOf, mailSchema, type MailForm } from './model';

const nothing: MailSettings = { language: 'en', apps: {}, way: 'mailbox', version: 0 };

const server = {
  host: 'mail.example.com',
  port: 587,
  security: 'starttls',
  sender_address: 'phones@example.com',
  username: 'phones',
  has_password: true,
} as const;

const wrong = (form: MailForm) =>
  mailSchema.safeParse(form).error?.issues.map(({ path, message }) => [path.join('.'), message]) ?? [];

test('what is not set is not sent', () => {
  expect(inputOf(formOf(nothing))).toEqual({ language: 'en', apps: {} });
  expect(wrong(formOf(nothing))).toEqual([]);
});

test('a stored password is not sent back, a new one is', () => {
  const form = formOf({ ...nothing, server, way: 'own' });
  expect(form.server.password).toBe('');
  expect(inputOf(form).server).toMatchObject({ host: 'mail.example.com', port: 587, password: undefined });
  form.server.password = ' new ';
  expect(inputOf(form).server?.password).toBe(' new ');
});

test('the port follows from the security unless it is given', () => {
  const form = formOf({ ...nothing, server, way: 'own' });
  for (const [security, port] of [
    ['starttls', 587],
    ['tls', 465],
    ['none', 25],
  ] as const) {
    expect(inputOf({ ...form, server: { ...form.server, security, port: '' } }).server?.port).toBe(port);
  }
});

test('only an own server has to be complete', () => {
  const form = formOf(nothing);
  const own = { ...form, own: true };
  expect(wrong(own)).toEqual([
    ['server.host', 'invalid.required'],
    ['server.sender_address', 'invalid.required'],
  ]);
  const bad = { ...own, server: { ...own.server, host: 'two words', sender_address: 'nobody' } };
  expect(wrong(bad)).toEqual([
    ['server.host', 'invalid.host'],
    ['server.sender_address', 'invalid.email'],
  ]);
  expect(inputOf({ ...bad, own: false }).server).toBeUndefined();
});

test('links to the app are web addresses', () => {
  const form = formOf(nothing);
  for (const ios of ['javascript:alert(1)', 'http://example.com', 'https://a b']) {
    expect(wrong({ ...form, apps: { ...form.apps, ios } })).toEqual([['apps.ios', 'invalid.https']]);
  }
  expect(wrong({ ...form, apps: { ...form.apps, ios: 'https://example.com/app' } })).toEqual([]);
});
