/**
 * One of a few, all in sight.
 */
import type { ReactNode } from 'react';
import { Label, Radio, RadioGroup } from 'react-aria-components';

export interface RadioChoice {
  id: string;
  label: string;
  detail?: ReactNode;
}

interface RadioFieldProps {
  label: string;
  value: string;
  onChange: (id: string) => void;
  choices: readonly RadioChoice[];
  /** One below the other, however much room there is. */
  stacked?: boolean;
}

export function RadioField({ label, value, onChange, choices, stacked }: RadioFieldProps) {
  return (
    <RadioGroup value={value} onChange={onChange} className="flex flex-col gap-2">
      <Label className="label">{label}</Label>
      <div className={`grid gap-2 ${stacked ? '' : 'sm:grid-cols-2'}`}>
        {choices.map(({ id, label: name, detail }) => (
          <Radio
            key={id}
            value={id}
            className="focusable group flex min-w-0 cursor-pointer items-start gap-2.5 rounded-lg border border-border bg-surface px-3 py-2.5 text-sm data-[selected]:border-accent data-[selected]:bg-accent-soft"
          >
            <span
              aria-hidden
              className="mt-0.5 size-4 shrink-0 rounded-full border border-field-border bg-surface group-data-[selected]:border-[5px] group-data-[selected]:border-accent"
            />
            <span className="min-w-0 flex-1">
              <span className="block font-medium">{name}</span>
              {detail && <span className="mt-0.5 block break-words">{detail}</span>}
            </span>
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
