/**
 * What a page says when it has nothing to show yet, nothing at all, or something went wrong.
 */
import { Button } from '@heroui/react';
import { AlertTriangle, CheckCircle2, Info, SearchX } from 'lucide-react';
import type { ComponentType, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

export type Icon = ComponentType<{ className?: string; 'aria-hidden'?: boolean }>;

interface EmptyStateProps {
  icon: Icon;
  title: string;
  /** What this place is for and what to do first. */
  children: ReactNode;
  action?: ReactNode;
}

export function EmptyState({ icon: Picture, title, children, action }: EmptyStateProps) {
  return (
    <div className="card flex flex-col items-center px-6 py-14 text-center">
      <span className="mb-4 grid size-12 place-items-center rounded-2xl bg-accent-soft text-accent-soft-foreground">
        <Picture className="size-6" aria-hidden />
      </span>
      <h2 className="text-base font-semibold">{title}</h2>
      <div className="mt-1.5 max-w-md text-pretty text-muted">{children}</div>
      {action && <div className="mt-6">{action}</div>}
    </div>
  );
}

interface NothingFoundProps {
  /** Empty: only filters were set. */
  search: string;
  onClear: () => void;
}

export function NothingFound({ search, onClear }: NothingFoundProps) {
  const { t } = useTranslation('ui');
  return (
    <div className="card flex flex-col items-center gap-4 px-6 py-12 text-center text-muted">
      <SearchX className="size-6" aria-hidden />
      <p>{search === '' ? t('empty.filters') : t('empty.search', { search })}</p>
      <Button variant="secondary" size="sm" onPress={onClear}>
        {t('empty.clear')}
      </Button>
    </div>
  );
}

interface FailureProps {
  /** What the server said; absent when there was no answer. */
  detail?: string | undefined;
  onRetry: () => void;
}

export function Failure({ detail, onRetry }: FailureProps) {
  const { t } = useTranslation('ui');
  return (
    <div role="alert" className="card flex flex-col items-center px-6 py-12 text-center">
      <AlertTriangle className="mb-3 size-6 text-danger" aria-hidden />
      <h2 className="text-base font-semibold">{t('error.title')}</h2>
      <p className="mt-1 max-w-md text-muted">{detail ?? t('error.unreachable')}</p>
      <Button variant="secondary" className="mt-5" onPress={onRetry}>
        {t('error.retry')}
      </Button>
    </div>
  );
}

const NOTICES = {
  info: { icon: Info, look: 'bg-accent-soft text-accent-soft-foreground' },
  good: { icon: CheckCircle2, look: 'bg-success-soft text-success-soft-foreground' },
  warning: { icon: AlertTriangle, look: 'bg-warning-soft text-warning-soft-foreground' },
  danger: { icon: AlertTriangle, look: 'bg-danger-soft text-danger-soft-foreground' },
} as const;

interface NoticeProps {
  tone: keyof typeof NOTICES;
  children: ReactNode;
  /** Read out at once; for what appears after an action. */
  alert?: boolean;
}

export function Notice({ tone, children, alert }: NoticeProps) {
  const { icon: Picture, look } = NOTICES[tone];
  return (
    <div
      role={alert ? 'alert' : undefined}
      className={`flex gap-2.5 rounded-lg px-3.5 py-2.5 text-sm ${look}`}
    >
      <Picture className="mt-0.5 size-4 shrink-0" aria-hidden />
      <div className="min-w-0 flex-1 break-words">{children}</div>
    </div>
  );
}

/** Grey bars in place of what is being loaded. */
export function Placeholder({ rows = 4 }: { rows?: number }) {
  const { t } = useTranslation('ui');
  return (
    <div className="card divide-y divide-separator" role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, row) => `row ${row}`).map((row) => (
        <div key={row} className="flex animate-pulse gap-6 px-4 py-4 motion-reduce:animate-none">
          <span className="h-3.5 w-1/4 rounded bg-default" />
          <span className="h-3.5 w-1/3 rounded bg-default" />
          <span className="ms-auto h-3.5 w-16 rounded bg-default" />
        </div>
      ))}
    </div>
  );
}
