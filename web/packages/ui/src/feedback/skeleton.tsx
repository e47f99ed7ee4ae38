/**
 * Grey shapes in place of what is being loaded: as large as what will stand there, so that nothing jumps.
 */
import { useTranslation } from 'react-i18next';

interface SkeletonProps {
  of: 'text' | 'form' | 'cards';
}

export function Skeleton({ of }: SkeletonProps) {
  const { t } = useTranslation('ui');
  return (
    <div role="status" aria-label={t('loading')} className="animate-pulse motion-reduce:animate-none">
      {of === 'text' && <Bars />}
      {of === 'form' && (
        <div className="card grid gap-5 p-6 sm:grid-cols-2">
          {['a', 'b', 'c', 'd'].map((field) => (
            <div key={field} className="flex flex-col gap-2">
              <span className="h-3.5 w-24 rounded bg-default" />
              <span className="h-9 rounded-lg bg-default" />
            </div>
          ))}
        </div>
      )}
      {of === 'cards' && (
        <div className="grid gap-4 sm:grid-cols-3">
          {['a', 'b', 'c'].map((card) => (
            <div key={card} className="card p-5">
              <Bars />
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

function Bars() {
  return (
    <div className="flex flex-col gap-2.5">
      <span className="h-3.5 w-2/3 rounded bg-default" />
      <span className="h-3.5 w-full rounded bg-default" />
      <span className="h-3.5 w-1/2 rounded bg-default" />
    </div>
  );
}
