import { expect, test } from 'vitest';

import { isNotFound, isSignedOut, mustSetPassword, parseProblem, Refusal, Unreachable } from './refusal';

const problem = {
  type: 'in-use',
  title: 'In use',
  status: 409,
  detail: 'Two devices use it.',
  request_id: 'r',
};

test('problem details are recognised', () => {
  expect(parseProblem(problem)).toEqual(problem);
});

test.each([['<html>'], [null], [undefined], [{ title: 'x' }]])('%s is no problem', (body) => {
  expect(parseProblem(body)).toBeUndefined();
});

test('a refusal says what the server said', () => {
  const refusal = new Refusal(409, problem);
  expect(refusal.message).toBe('Two devices use it.');
  expect(refusal.kind).toBe('in-use');
  expect(refusal.fields).toEqual([]);
});

test('only 401 means signed out', () => {
  expect(isSignedOut(new Refusal(401, undefined))).toBe(true);
  expect(isSignedOut(new Refusal(403, undefined))).toBe(false);
  expect(isSignedOut(new Unreachable())).toBe(false);
});

test('only 404 means not found', () => {
  expect(isNotFound(new Refusal(404, undefined))).toBe(true);
  expect(isNotFound(new Unreachable())).toBe(false);
});

test('a one-time password is known by the type, not the status', () => {
  const required = { ...problem, type: 'password-change-required', status: 403 };
  expect(mustSetPassword(new Refusal(403, required))).toBe(true);
  expect(mustSetPassword(new Refusal(403, { ...problem, status: 403 }))).toBe(false);
});
