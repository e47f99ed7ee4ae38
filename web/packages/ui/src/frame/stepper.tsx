/**
 * Where one is in a wizard: what is done, what is now, what comes.
 */
import { Check } from 'lucide-react';
import { useTranslation } from 'react-i18next';

export interface Step {
  id: string;
  title: string;
}

interface StepperProps {
  label: string;
  steps: readonly Step[];
  /** The step that is now. */
  current: string;
  /** Leads back to a step that is done; absent: one cannot go back. */
  onBack?: (id: string) => void;
}

export function Stepper({ label, steps, current, onBack }: StepperProps) {
  const { t } = useTranslation('ui');
  const now = steps.findIndex(({ id }) => id === current);
  return (
    <ol aria-label={label} className="flex flex-wrap gap-x-6 gap-y-2">
      {steps.map(({ id, title }, index) => {
        const done = index < now;
        const mark = (
          <>
            <span
              aria-hidden
              className={`grid size-6 shrink-0 place-items-center rounded-full text-xs font-semibold ${look(index, now)}`}
            >
              {done ? <Check className="size-3.5" /> : index + 1}
            </span>
            <span>{title}</span>
            {done && <span className="sr-only">{t('stepper.done')}</span>}
          </>
        );
        const shape = 'flex items-center gap-2 text-sm';
        return (
          <li key={id} aria-current={index === now ? 'step' : undefined}>
            {done && onBack ? (
              <button
                type="button"
                className={`${shape} focusable cursor-pointer rounded-md`}
                onClick={() => onBack(id)}
              >
                {mark}
              </button>
            ) : (
              <span className={`${shape} ${index === now ? 'font-semibold' : 'text-muted'}`}>{mark}</span>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function look(index: number, now: number): string {
  if (index < now) return 'bg-success-soft text-success-soft-foreground';
  return index === now ? 'bg-accent text-accent-foreground' : 'bg-default text-default-foreground';
}
