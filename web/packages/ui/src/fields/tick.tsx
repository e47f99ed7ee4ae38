/**
 * A tick box, alone in rows that can be selected or with words beside it.
 */
import { Check, Minus } from 'lucide-react';
import type { ReactNode } from 'react';
import { Checkbox } from 'react-aria-components';

interface TickProps {
  /** `selection`: the table knows what it is for. */
  slot?: 'selection';
  value?: boolean;
  onChange?: (value: boolean) => void;
  disabled?: boolean;
  children?: ReactNode;
}

export function Tick({ slot, value, onChange, disabled, children }: TickProps) {
  return (
    <Checkbox
      {...(slot ? { slot } : {})}
      {...(value === undefined ? {} : { isSelected: value })}
      {...(onChange ? { onChange } : {})}
      isDisabled={disabled ?? false}
      className="group flex min-h-6 min-w-6 items-center gap-2 text-sm data-[disabled]:opacity-50"
    >
      {({ isSelected, isIndeterminate }) => (
        <>
          <span className="grid size-4.5 shrink-0 place-items-center rounded border border-field-border bg-surface text-accent-foreground outline-offset-2 group-data-[focus-visible]:outline-2 group-data-[focus-visible]:outline-focus group-data-[indeterminate]:border-accent group-data-[indeterminate]:bg-accent group-data-[selected]:border-accent group-data-[selected]:bg-accent">
            {isIndeterminate ? (
              <Minus className="size-3.5" aria-hidden />
            ) : (
              isSelected && <Check className="size-3.5" aria-hidden />
            )}
          </span>
          {children}
        </>
      )}
    </Checkbox>
  );
}
