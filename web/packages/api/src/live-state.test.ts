import { expect, test } from 'vitest';

import { afterFrame, nothingYet, parseFrame, type LiveState } from './live-state';
import type { DeviceLive, LiveFrame } from './types';

const device = (id: string, status: DeviceLive['status']): DeviceLive => ({
  id,
  status,
  not_started: false,
  pending_update: false,
});

const snapshot: LiveFrame = {
  type: 'snapshot',
  epoch: 'e1',
  seq: 7,
  first: true,
  last: true,
  devices: [device('d1', 'offline'), device('d2', 'not_activated')],
  accounts: [{ id: 'a1', status: 'offline' }],
};

function after(...frames: LiveFrame[]): LiveState | undefined {
  let state: LiveState | undefined = nothingYet;
  for (const frame of frames) state = state && afterFrame(state, frame);
  return state;
}

test('a snapshot says everything and where to go on', () => {
  expect(after(snapshot)).toEqual({
    position: { epoch: 'e1', seq: 7 },
    devices: { d1: device('d1', 'offline'), d2: device('d2', 'not_activated') },
    accounts: { a1: 'offline' },
  });
});

test('a delta changes only what it names and may skip numbers', () => {
  const state = after(snapshot, { type: 'delta', seq: 12, devices: [device('d1', 'online')] });
  expect(state?.position).toEqual({ epoch: 'e1', seq: 12 });
  expect(state?.devices.d1?.status).toBe('online');
  expect(state?.devices.d2?.status).toBe('not_activated');
  expect(state?.accounts.a1).toBe('offline');
});

test('a frame that was seen already changes nothing', () => {
  const state = after(snapshot, { type: 'delta', seq: 7, devices: [device('d1', 'online')] });
  expect(state?.devices.d1?.status).toBe('offline');
});

test('a delta before any snapshot asks for a snapshot', () => {
  expect(after({ type: 'delta', seq: 1 })).toBeUndefined();
});

test('a new snapshot forgets what is no longer there', () => {
  const state = after(snapshot, { ...snapshot, epoch: 'e2', seq: 0, devices: [] });
  expect(state?.position).toEqual({ epoch: 'e2', seq: 0 });
  expect(state?.devices).toEqual({});
});

test('a snapshot in parts says where to go on with its last part only', () => {
  const first = { ...snapshot, last: false };
  const second = { ...snapshot, first: false, devices: [device('d3', 'online')], accounts: [] };
  expect(after(first)?.position).toBeUndefined();
  const state = after(first, second);
  expect(state?.position).toEqual({ epoch: 'e1', seq: 7 });
  expect(Object.keys(state?.devices ?? {})).toEqual(['d1', 'd2', 'd3']);
  expect(state?.accounts).toEqual({ a1: 'offline' });
});

test.each([
  ['not text', new Uint8Array([1])],
  ['not JSON', 'hello'],
  ['null', 'null'],
  ['another type', '{"type":"hello","seq":1}'],
  ['no number', '{"type":"delta"}'],
])('%s is no frame', (_, text) => {
  expect(parseFrame(text)).toBeUndefined();
});

test('a frame is read from its text', () => {
  expect(parseFrame(JSON.stringify(snapshot))).toEqual(snapshot);
});
