/**
 * Form fields: a label, the input, a word of help, and the error beside the input it belongs to.
 *
 * Values and callbacks only; whatever keeps the form's state is the application's. An `error` is a finished
 * sentence. Fields are required unless they say that they are optional, which is written on the label.
 */
import { Button, Description, FieldError, Input, Label, Switch, TextField } from '@heroui/react';
import { Eye, EyeOff } from 'lucide-react';
import { useState, type ReactNode, type Ref } from 'react';
import { useTranslation } from 'react-i18next';

export interface FieldProps {
  label: string;
  description?: ReactNode;
  error?: string | undefined;
  /** Written on the label. */
  optional?: boolean | undefined;
  disabled?: boolean | undefined;
  onBlur?: () => void;
}

interface TextProps extends FieldProps {
  name?: string;
  value: string;
  onChange: (value: string) => void;
  /** Where the cursor goes when the form is refused because of this field. */
  inputRef?: Ref<HTMLInputElement>;
  type?: 'text' | 'email' | 'tel' | 'url' | 'date';
  inputMode?: 'text' | 'numeric' | 'email' | 'tel' | 'url';
  placeholder?: string | undefined;
  autoComplete?: string;
  autoFocus?: boolean;
  /** For hosts, addresses and codes: no capitals, no spelling. */
  technical?: boolean;
}

export function TextInput(props: TextProps) {
  const { type = 'text', technical, inputMode, placeholder, inputRef } = props;
  return (
    <TextField {...root(props)} type={type}>
      <FieldLabel {...props} />
      <Input
        ref={inputRef}
        inputMode={inputMode}
        placeholder={placeholder}
        fullWidth
        {...(technical ? TECHNICAL : {})}
      />
      <Help {...props} />
    </TextField>
  );
}

export function PasswordInput(props: Omit<TextProps, 'type'>) {
  const { t } = useTranslation('ui');
  const { placeholder, inputRef } = props;
  const [visible, setVisible] = useState(false);
  return (
    <TextField {...root(props)} type={visible ? 'text' : 'password'}>
      <FieldLabel {...props} />
      <div className="relative">
        <Input ref={inputRef} placeholder={placeholder} fullWidth className="pe-11" {...TECHNICAL} />
        <Button
          slot={null}
          isIconOnly
          size="sm"
          variant="ghost"
          className="absolute end-0.5 top-1/2 min-h-8 min-w-8 -translate-y-1/2 text-muted"
          aria-label={t(visible ? 'password.hide' : 'password.show')}
          onPress={() => setVisible(!visible)}
        >
          {visible ? <EyeOff aria-hidden /> : <Eye aria-hidden />}
        </Button>
      </div>
      <Help {...props} />
    </TextField>
  );
}

interface SwitchProps {
  label: string;
  description?: ReactNode;
  value: boolean;
  onChange: (value: boolean) => void;
  disabled?: boolean | undefined;
}

export function SwitchField({ label, description, value, onChange, disabled }: SwitchProps) {
  return (
    <Switch isSelected={value} onChange={onChange} isDisabled={disabled}>
      <Switch.Content>
        <Switch.Control>
          <Switch.Thumb />
        </Switch.Control>
        <span className="text-sm font-medium">{label}</span>
      </Switch.Content>
      {description && <Description>{description}</Description>}
    </Switch>
  );
}

/** Hosts, codes and passwords are no prose. */
const TECHNICAL = { autoCapitalize: 'none', autoCorrect: 'off', spellCheck: false } as const;

function root(props: TextProps) {
  return {
    name: props.name,
    value: props.value,
    onChange: props.onChange,
    onBlur: props.onBlur,
    isInvalid: props.error !== undefined,
    isRequired: !props.optional,
    isDisabled: props.disabled,
    autoComplete: props.autoComplete,
    autoFocus: props.autoFocus,
    validationBehavior: 'aria' as const,
    fullWidth: true,
  };
}

export function FieldLabel({ label, optional }: FieldProps) {
  const { t } = useTranslation('ui');
  return (
    <Label className="after:hidden">
      {label}
      {optional && <span className="ms-1.5 font-normal text-muted">({t('optional')})</span>}
    </Label>
  );
}

export function Help({ description, error }: FieldProps) {
  return (
    <>
      {description && error === undefined && <Description>{description}</Description>}
      <FieldError>{error}</FieldError>
    </>
  );
}
