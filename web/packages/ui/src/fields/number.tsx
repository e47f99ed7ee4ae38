/**
 * A number with buttons to make it larger and smaller.
 */
import { Minus, Plus } from 'lucide-react';
import { Button, FieldError, Group, Input, Label, NumberField, Text } from 'react-aria-components';

interface NumberInputProps {
  label: string;
  description?: string;
  value: number;
  onChange: (value: number) => void;
  least?: number;
  most?: number;
  step?: number;
  /** Such as `second`: shown in the person's language beside the number. */
  unit?: string;
  error?: string | undefined;
  disabled?: boolean;
}

export function NumberInput(props: NumberInputProps) {
  const { label, description, value, onChange, least, most, step, unit, error, disabled } = props;
  const button =
    'focusable grid w-9 shrink-0 cursor-pointer place-items-center text-muted data-[disabled]:opacity-40';
  return (
    <NumberField
      value={value}
      onChange={onChange}
      {...(least === undefined ? {} : { minValue: least })}
      {...(most === undefined ? {} : { maxValue: most })}
      {...(step === undefined ? {} : { step })}
      {...(unit ? { formatOptions: { style: 'unit', unit, unitDisplay: 'long' } } : {})}
      isInvalid={error !== undefined}
      isDisabled={disabled ?? false}
      validationBehavior="aria"
      className="flex flex-col gap-1"
    >
      <Label className="label">{label}</Label>
      <Group className="flex h-10 w-full max-w-56 overflow-hidden rounded-lg border border-field-border bg-surface data-[focus-within]:outline-2 data-[focus-within]:outline-focus data-[invalid]:border-danger sm:h-9">
        <Button slot="decrement" className={button}>
          <Minus className="size-4" aria-hidden />
        </Button>
        <Input className="min-w-0 flex-1 border-x border-border bg-transparent px-2 text-center tabular-nums outline-none" />
        <Button slot="increment" className={button}>
          <Plus className="size-4" aria-hidden />
        </Button>
      </Group>
      {description && error === undefined && (
        <Text slot="description" className="text-xs text-muted">
          {description}
        </Text>
      )}
      <FieldError className="text-xs text-danger">{error}</FieldError>
    </NumberField>
  );
}
