/**
 * A field that opens a list of choices.
 */
import { ListBox, Select } from '@heroui/react';
import type { Ref } from 'react';
import { useTranslation } from 'react-i18next';

import { FieldLabel, Help, type FieldProps } from './fields';

export interface Choice {
  id: string;
  label: string;
  /** A second line that tells equal names apart. */
  detail?: string | undefined;
}

interface ChoiceProps extends FieldProps {
  /** The chosen id, or '' for none. */
  value: string;
  onChange: (id: string) => void;
  choices: Choice[];
  placeholder?: string | undefined;
  buttonRef?: Ref<HTMLButtonElement>;
}

export function ChoiceField(props: ChoiceProps) {
  const { t } = useTranslation('ui');
  const { choices, value, onChange, onBlur, error, disabled, placeholder, buttonRef } = props;
  return (
    <Select
      value={value === '' ? null : value}
      onChange={(key) => onChange(key === null ? '' : String(key))}
      onBlur={onBlur}
      isInvalid={error !== undefined}
      isDisabled={disabled}
      placeholder={placeholder ?? t('select.placeholder')}
      validationBehavior="aria"
      fullWidth
    >
      <FieldLabel {...props} />
      <Select.Trigger ref={buttonRef}>
        <Select.Value className="min-w-0">
          {({ isPlaceholder, defaultChildren }) =>
            isPlaceholder ? (
              defaultChildren
            ) : (
              <span className="block truncate text-sm">{choices.find(({ id }) => id === value)?.label}</span>
            )
          }
        </Select.Value>
        <Select.Indicator />
      </Select.Trigger>
      <Help {...props} />
      <Select.Popover maxHeight={MOST_HEIGHT}>
        <ListBox>
          {choices.map(({ id, label, detail }) => (
            <ListBox.Item key={id} id={id} textValue={detail ? `${label} ${detail}` : label}>
              <div className="min-w-0">
                <div className="truncate">{label}</div>
                {detail && <div className="truncate text-xs text-muted">{detail}</div>}
              </div>
              <ListBox.ItemIndicator />
            </ListBox.Item>
          ))}
        </ListBox>
      </Select.Popover>
    </Select>
  );
}

/** Pixels; longer lists scroll. */
const MOST_HEIGHT = 320;
