/**
 * What the live channel has told so far, and how a frame changes it.
 *
 * The server counts frames with `seq` in an `epoch` (one run of the server). It may skip numbers when it
 * merges changes, so a higher number is never a gap; a lower or equal one was seen already.
 */
import type { AccountLive, AccountStatus, DeviceLive, LiveFrame, LivePosition } from './types';

export interface LiveState {
  /** `undefined` until the first snapshot. */
  position: LivePosition | undefined;
  devices: Record<string, DeviceLive>;
  accounts: Record<string, AccountStatus>;
}

export const nothingYet: LiveState = { position: undefined, devices: {}, accounts: {} };

/** The state after `frame`, or `undefined` when only a new snapshot can help. */
export function afterFrame(state: LiveState, frame: LiveFrame): LiveState | undefined {
  if (frame.type === 'snapshot') {
    return {
      position: { epoch: frame.epoch, seq: frame.seq },
      devices: byId(frame.devices),
      accounts: statuses(frame.accounts),
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

/** Devices whose status, pending update or instructions are not what they were. */
export function changedDevices(before: LiveState, after: LiveState): string[] {
  if (before.devices === after.devices) return [];
  return Object.values(after.devices)
    .filter(({ id, status, pending_update, instructions }) => {
      const old = before.devices[id];
      return (
        !old ||
        old.status !== status ||
        old.pending_update !== pending_update ||
        old.instructions !== instructions
      );
    })
    .map(({ id }) => id);
}

function byId(devices: DeviceLive[]): Record<string, DeviceLive> {
  return Object.fromEntries(devices.map((device) => [device.id, device]));
}

function statuses(accounts: AccountLive[]): Record<string, AccountStatus> {
  return Object.fromEntries(accounts.map(({ id, status }) => [id, status]));
}
