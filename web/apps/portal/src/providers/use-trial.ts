/**
 * A trial that is under way: one at a time, ended when the page is left.
 */
import { tryProvider, type ProviderTestEvent, type ProviderTestInput } from '@tandem/api';
import { useEffect, useRef, useState } from 'react';

interface State {
  events: ProviderTestEvent[];
  running: boolean;
  /** What the server refused, or that it went away. */
  error?: unknown;
}

const NOTHING: State = { events: [], running: false };

export interface Trial extends State {
  start: (input: ProviderTestInput) => void;
  stop: () => void;
}

/** Tries the saved provider `id` of a tenant, or without one what the input names. */
export function useTrial(tenant: string, id?: string): Trial {
  const [state, setState] = useState(NOTHING);
  const current = useRef<AbortController>(undefined);
  useEffect(() => () => current.current?.abort(), []);

  async function run(input: ProviderTestInput) {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    const tell = (change: (before: State) => State) => {
      if (!controller.signal.aborted) setState(change);
    };
    tell(() => ({ events: [], running: true }));
    try {
      for await (const event of tryProvider({ tenant, id }, input, controller.signal)) {
        tell((before) => ({ ...before, events: [...before.events, event] }));
      }
      tell((before) => ({ ...before, running: false }));
    } catch (error) {
      tell((before) => ({ ...before, running: false, error }));
    }
  }

  return {
    ...state,
    start: (input) => void run(input),
    stop: () => {
      current.current?.abort();
      setState((before) => ({ ...before, running: false }));
    },
  };
}
