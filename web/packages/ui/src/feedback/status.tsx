/**
 * A status: a coloured dot and the word for it. Colour never says anything alone.
 */
import type { ReactNode } from 'react';

export type Tone = 'good' | 'waiting' | 'idle' | 'info' | 'bad';

const TONES: Record<Tone, { badge: string; dot: string }> = {
  good: { badge: 'bg-success-soft text-success-soft-foreground', dot: 'bg-success' },
  waiting: { badge: 'bg-warning-soft text-warning-soft-foreground', dot: 'bg-warning' },
  idle: { badge: 'bg-default text-default-foreground', dot: 'bg-muted' },
  info: { badge: 'bg-accent-soft text-accent-soft-foreground', dot: 'bg-accent' },
  bad: { badge: 'bg-danger-soft text-danger-soft-foreground', dot: 'bg-danger' },
};

interface StatusBadgeProps {
  tone: Tone;
  children: ReactNode;
  /** Without a dot it is a label rather than a status. */
  plain?: boolean;
}

export function StatusBadge({ tone, children, plain }: StatusBadgeProps) {
  const { badge, dot } = TONES[tone];
  return (
    <span
      className={`inline-flex w-fit items-center gap-1.5 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ${badge}`}
    >
      {!plain && <span aria-hidden className={`size-1.5 shrink-0 rounded-full ${dot}`} />}
      {children}
    </span>
  );
}
