/**
 * Where one is on the way from a file to contacts.
 */
import { Stepper } from '@tandem/ui';
import { useTranslation } from 'react-i18next';

const STEPS = ['file', 'columns', 'check', 'done'] as const;

export type ImportStep = (typeof STEPS)[number];

interface StepsProps {
  current: ImportStep;
  /** Leads back to a step before; absent: one cannot. */
  onBack?: ((step: ImportStep) => void) | undefined;
}

export function Steps({ current, onBack }: StepsProps) {
  const { t } = useTranslation();
  return (
    <div className="mb-6">
      <Stepper
        label={t('imports.steps')}
        steps={STEPS.map((id) => ({ id, title: t(`imports.step.${id}`) }))}
        current={current}
        {...(onBack && { onBack: (id: string) => onBack(STEPS.find((step) => step === id) ?? 'file') })}
      />
    </div>
  );
}
