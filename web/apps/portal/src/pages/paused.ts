/**
 * Text that is typed here and counts elsewhere after a short pause.
 */
import { useEffect, useRef, useState } from 'react';

const PAUSE_MS = 250;

/** What is typed, and how to type. What comes from outside, such as a link, is shown at once. */
export function usePaused(value: string, onPause: (text: string) => void) {
  const [typed, setTyped] = useState(value);
  // The last text that went out: its echo must not undo what was typed meanwhile.
  const [sent, setSent] = useState(value);
  const [seen, setSeen] = useState(value);
  if (value !== seen) {
    setSeen(value);
    if (value !== sent) {
      setSent(value);
      setTyped(value);
    }
  }
  const send = useRef(onPause);
  useEffect(() => {
    send.current = onPause;
  });
  useEffect(() => {
    if (typed === sent) return;
    const go = () => {
      setSent(typed);
      send.current(typed);
    };
    const timer = setTimeout(go, typed === '' ? 0 : PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, sent]);
  return [typed, setTyped] as const;
}
