/**
 * Forms: react-hook-form keeps the values, zod checks them, the server has the last word.
 *
 * Nothing typed is lost when saving fails or the session ends meanwhile.
 */
import { zodResolver } from '@hookform/resolvers/zod';
import { Button, ButtonLink, ChoiceField, Notice, PasswordInput, SwitchField, TextInput } from '@tandem/ui';
import type { ComponentProps, ReactNode } from 'react';
import {
  FormProvider,
  useController,
  useForm,
  useFormContext,
  type DefaultValues,
  type FieldValues,
  type Path,
  type UseFormReturn,
} from 'react-hook-form';
import { useTranslation } from 'react-i18next';
import type { $ZodType } from 'zod/v4/core';

import { messagesOf } from './refused';

interface Options<Values extends FieldValues> {
  schema: $ZodType<Values, Values>;
  values: Values;
  /** Throws what the server refused. */
  save: (values: Values) => Promise<unknown>;
}

export interface SavedForm<Values extends FieldValues> {
  form: UseFormReturn<Values>;
  submit: () => void;
}

/** A form that puts every refusal beside the field it is about. */
export function useSavedForm<Values extends FieldValues>({ schema, values, save }: Options<Values>) {
  const form = useForm<Values>({
    resolver: zodResolver(schema),
    defaultValues: values as DefaultValues<Values>,
    // Errors that appear on leaving a field would move the button away from under the pointer.
    mode: 'onSubmit',
  });
  const submit = form.handleSubmit(async (checked) => {
    try {
      await save(checked);
    } catch (error) {
      const { fields, whole } = messagesOf(error, Object.keys(values));
      fields.forEach(({ name, message }, index) =>
        form.setError(name as Path<Values>, { message }, { shouldFocus: index === 0 }),
      );
      if (whole) form.setError('root.refused', { message: whole });
    }
  });
  return { form, submit: () => void submit() } satisfies SavedForm<Values>;
}

interface FormProps<Values extends FieldValues> extends SavedForm<Values> {
  children: ReactNode;
  /** What the button says. */
  action: string;
  /** Where *Cancel* leads; absent where there is no way back. */
  cancel?: string;
  wide?: boolean;
}

export function Form<Values extends FieldValues>(props: FormProps<Values>) {
  const { t } = useTranslation(['portal', 'ui']);
  const { form, submit, children, action, cancel, wide } = props;
  const errorText = useErrorText();
  const refused = errorText(form.formState.errors.root?.refused?.message);
  return (
    <FormProvider {...form}>
      <form
        noValidate
        className="flex flex-col gap-6"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        {children}
        {refused && (
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        )}
        <div className="flex flex-wrap gap-2">
          <Button type="submit" isPending={form.formState.isSubmitting} fullWidth={wide ?? false}>
            {action}
          </Button>
          {cancel && (
            <ButtonLink href={cancel} variant="secondary">
              {t('ui:cancel')}
            </ButtonLink>
          )}
        </div>
      </form>
    </FormProvider>
  );
}

/** Two columns where there is room. */
export function Fields({ children }: { children: ReactNode }) {
  return <div className="grid items-start gap-5 sm:grid-cols-2">{children}</div>;
}

/** A key below `invalid` or `refused` becomes its text; a sentence of the server stays as it is. */
export function useErrorText() {
  const { t, i18n } = useTranslation();
  return (message: string | undefined): string | undefined => {
    if (message === undefined) return undefined;
    return i18n.exists(message) ? t(message as 'invalid.required') : message;
  };
}

type Bound<Props> = Omit<Props, 'value' | 'onChange' | 'onBlur' | 'error' | 'inputRef' | 'buttonRef'> & {
  name: string;
};

export function useField(name: string) {
  const { control } = useFormContext();
  const { field, fieldState } = useController({ name, control });
  const errorText = useErrorText();
  return {
    value: field.value,
    onChange: field.onChange,
    onBlur: field.onBlur,
    /** Takes the element that gets the focus when the field is refused. */
    attach: field.ref,
    error: errorText(fieldState.error?.message),
  };
}

export function TextField(props: Bound<ComponentProps<typeof TextInput>>) {
  const { attach, ...bound } = useField(props.name);
  return <TextInput {...props} {...bound} inputRef={attach} />;
}

export function PasswordField(props: Bound<ComponentProps<typeof PasswordInput>>) {
  const { attach, ...bound } = useField(props.name);
  return <PasswordInput {...props} {...bound} inputRef={attach} />;
}

export function Choose(props: Bound<ComponentProps<typeof ChoiceField>>) {
  const { name, ...rest } = props;
  const { attach, ...bound } = useField(name);
  return <ChoiceField {...rest} {...bound} buttonRef={attach} />;
}

export function Toggle(props: Bound<ComponentProps<typeof SwitchField>>) {
  const { name, ...rest } = props;
  const { value, onChange } = useField(name);
  return <SwitchField {...rest} value={value as boolean} onChange={onChange} />;
}
