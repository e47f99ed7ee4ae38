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

import { callsKey, tenantKey, webhooksKey } from './collection';
import { gatherLists, staleBy } from './live-lists';
import { afterFrame, nothingYet, parseFrame, type LiveState } from './live-state';
import { sessionQuery } from './session';
import type { AccountStatus, DeviceLive, LiveList } from './types';

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

/** Lists whose rows no other rows name. */
const ALONE = { calls: callsKey, webhooks: webhooksKey } as const;

function standsAlone(list: LiveList): list is keyof typeof ALONE {
  return list in ALONE;
}

interface Listener {
  /** These lists have other rows than before, or rows with other content. */
  rewritten: (lists: readonly LiveList[]) => void;
  /** A connection could not be made: perhaps the session is over. */
  refused: () => void;
}

/** Opens the channel; the function that comes back closes it. */
function openChannel(tenant: string, { rewritten, refused }: Listener): () => void {
  const address = new URL(`/api/v1/tenants/${tenant}/live`, window.location.href);
  address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new ReconnectingWebSocket(address.href, [], {
    minReconnectionDelay: 500,
    maxReconnectionDelay: 15_000,
    maxEnqueuedMessages: 0,
  });
  let state: LiveState = nothingYet;
  let painting: number | undefined;
  let missed = false;

  function show() {
    painting = undefined;
    useLiveStore.setState(state);
  }

  socket.addEventListener('open', () => {
    useLiveStore.setState({ connection: 'open' });
    if (state.position) socket.send(JSON.stringify({ resume: state.position }));
  });
  socket.addEventListener('message', ({ data }) => {
    const frame = parseFrame(data);
    if (!frame) return;
    const stale = staleBy(frame, missed);
    if (stale.length > 0) rewritten(stale);
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
    // Also when there was none yet: time has passed since the lists were read.
    missed = true;
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
  useEffect(() => {
    const gathered = gatherLists((lists) => {
      const told = [...lists];
      // Rows name each other, so one list that changed makes all of them stale.
      const keys = told.every(standsAlone) ? told.map((list) => ALONE[list](tenant)) : [tenantKey(tenant)];
      for (const queryKey of keys) void queries.invalidateQueries({ queryKey });
    });
    const close = openChannel(tenant, {
      rewritten: gathered.add,
      refused: () => void queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    });
    return () => {
      close();
      gathered.stop();
    };
  }, [tenant, queries]);
}
