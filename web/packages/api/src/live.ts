/**
 * The live channel of a tenant: one WebSocket per page, its state in a store with selectors by id.
 *
 * Frames are merged and shown at most once per animation frame. Reconnecting and its back-off are
 * partysocket's; after a reconnect the channel goes on from the last position it has seen.
 */
import { useQueryClient } from '@tanstack/react-query';
import { WebSocket as ReconnectingWebSocket } from 'partysocket';
import { useEffect } from 'react';
import { create } from 'zustand';

import { callsKey, tenantKey } from './collection';
import { afterFrame, changedDevices, nothingYet, parseFrame, type LiveState } from './live-state';
import { sessionQuery } from './session';
import type { AccountStatus, DeviceLive } from './types';

export type Connection = 'connecting' | 'open' | 'lost';

interface LiveStore extends LiveState {
  connection: Connection;
}

const useLiveStore = create<LiveStore>()(() => ({ ...nothingYet, connection: 'connecting' }));

/** What the channel last said of a device, or `undefined` if nothing yet. */
export function useDeviceLive(id: string): DeviceLive | undefined {
  return useLiveStore(({ devices }) => devices[id]);
}

/** What the channel last said of an account, or `undefined` if nothing yet. */
export function useAccountLive(id: string): AccountStatus | undefined {
  return useLiveStore(({ accounts }) => accounts[id]);
}

/** Status by device, for counting. */
export function useDevicesLive(): Record<string, DeviceLive> {
  return useLiveStore(({ devices }) => devices);
}

/** Whether what is shown is live. */
export function useConnection(): Connection {
  return useLiveStore(({ connection }) => connection);
}

interface Listener {
  /** The state moved on. */
  changed: (before: LiveState, after: LiveState) => void;
  /** There are other calls than before. */
  calls: () => void;
  /** A connection could not be made: perhaps the session is over. */
  refused: () => void;
}

/** Opens the channel; the function that comes back closes it. */
function openChannel(tenant: string, { changed, calls, refused }: Listener): () => void {
  const address = new URL(`/api/v1/tenants/${tenant}/live`, window.location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new ReconnectingWebSocket(address.href, [], {
    minReconnectionDelay: 500,
    maxReconnectionDelay: 15_000,
    maxEnqueuedMessages: 0,
  });
  let state: LiveState = nothingYet;
  let shown: LiveState = nothingYet;
  let painting: number | undefined;

  function show() {
    painting = undefined;
    changed(shown, state);
    shown = state;
    useLiveStore.setState(state);
  }

  socket.addEventListener('open', () => {
    useLiveStore.setState({ connection: 'open' });
    if (state.position) socket.send(JSON.stringify({ resume: state.position }));
  });
  socket.addEventListener('message', ({ data }) => {
    const frame = parseFrame(data);
    if (!frame) return;
    // A list may have been read before the channel was open, or while it was lost.
    if (frame.type === 'snapshot' || frame.calls) calls();
    const next = afterFrame(state, frame);
    state = next ?? nothingYet;
    if (!next) {
      socket.reconnect();
    } else if (document.hidden) {
      show();
    } else {
      painting ??= requestAnimationFrame(show);
    }
  });
  socket.addEventListener('close', () => {
    useLiveStore.setState({ connection: 'lost' });
    refused();
  });

  return () => {
    if (painting !== undefined) cancelAnimationFrame(painting);
    socket.close();
    useLiveStore.setState({ ...nothingYet, connection: 'connecting' }, true);
  };
}

/** Keeps the channel of `tenant` open while the calling component is shown. */
export function useLiveChannel(tenant: string): void {
  const queries = useQueryClient();
  useEffect(
    () =>
      openChannel(tenant, {
        changed: (before, after) => {
          const changes = changedDevices(before, after);
          // The snapshot is no news: lists were read a moment ago.
          if (!before.position || changes.length === 0) return;
          void queries.invalidateQueries({ queryKey: [...tenantKey(tenant), 'devices'] });
        },
        calls: () => void queries.invalidateQueries({ queryKey: callsKey(tenant) }),
        refused: () => void queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
      }),
    [tenant, queries],
  );
}
