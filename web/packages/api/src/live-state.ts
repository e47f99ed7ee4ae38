/**
 * What the live channel has told so far, and how a frame changes it.
 *
 * The server counts frames with `seq` in an `epoch` (one run of the server). It may skip numbers when it
 * merges changes, so a higher number is never a gap; a lower or equal one was seen already.
 */
import type { AccountLive, AccountStatus, DeviceLive, LiveFrame, LivePosition } from './types';

export interface LiveState {
  /** `undefined` until a snapshot is complete. */
  position: LivePosition | undefined;
  devices: Record<string, DeviceLive>;
  accounts: Record<string, AccountStatus>;
}

export const nothingYet: LiveState = { position: undefined, devices: {}, accounts: {} };

/** The state after `frame`, or `undefined` when only a new snapshot can help. */
export function afterFrame(state: LiveState, frame: LiveFrame): LiveState | undefined {
  if (frame.type === 'snapshot') {
    const before = frame.first ? nothingYet : state;
    return {
      // Of a snapshot that broke off nothing is kept: only with its last part there is something to go on from.
      position: frame.last ? { epoch: frame.epoch, seq: frame.seq } : undefined,
      devices: { ...before.devices, ...byId(frame.devices) },
      accounts: { ...before.accounts, ...statuses(frame.accounts) },
    };
  }
  if (!state.position) return undefined;
  if (frame.seq <= state.position.seq) return state;
  return {
    position: { ...state.position, seq: frame.seq },
    devices: { ...state.devices, ...byId(frame.devices ?? []) },
    accounts: { ...state.accounts, ...statuses(frame.accounts ?? []) },
  };
}

/** Reads a text frame; anything that is not one of ours is `undefined`. */
export function parseFrame(text: unknown): LiveFrame | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const frame = JSON.parse(text) as { type?: unknown; seq?: unknown };
    const known = frame.type === 'snapshot' || frame.type === 'delta';
    return known && typeof frame.seq === 'number' ? (frame as LiveFrame) : undefined;
  } catch {
    return undefined;
  }
}

function byId(devices: DeviceLive[]): Record<string, DeviceLive> {
  return Object.fromEntries(devices.map((device) => [device.id, device]));
}

function statuses(accounts: AccountLive[]): Record<string, AccountStatus> {
  return Object.fromEntries(accounts.map(({ id, status }) => [id, status]));
}
