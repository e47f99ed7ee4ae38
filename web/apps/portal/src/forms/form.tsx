/**
 * How a form looks: its fields bound to their values, what the server said, and the buttons.
 *
 * Nothing typed is lost when saving fails, the session ends meanwhile or somebody follows a link by accident.
 */
import { Button, ButtonLink, Notice, PasswordInput, SwitchField, TextInput } from '@tandem/ui';
import { lazy, type ComponentProps, type ReactNode } from 'react';
import { FormProvider, useController, useFormContext, type FieldValues } from 'react-hook-form';
import { useTranslation } from 'react-i18next';

import { Later } from '../pages/later';
import { useErrorText } from './error-text';
import { LeaveGuard } from './leave-guard';
import { PlacesContext, usePlace } from './places';
import type { OpenConflict, SavedForm } from './saved-form';

// Seldom seen, and it brings the dialogs.
const ConflictDialog = lazy(async () => ({ default: (await import('./conflict-dialog')).ConflictDialog }));

interface FormProps<Values extends FieldValues> extends SavedForm<Values> {
  children: ReactNode;
  /** What the button says. */
  action: string;
  /** Where *Cancel* leads; absent where there is no way back. */
  cancel?: string;
  /** The same where nothing is left but a dialog. */
  onCancel?: () => void;
  wide?: boolean;
  /** Nobody minds when this is left half filled in, such as a sign-in. */
  passing?: boolean;
}

export function Form<Values extends FieldValues>(props: FormProps<Values>) {
  const { t } = useTranslation(['portal', 'ui']);
  const { form, submit, conflict, places, children, action, cancel, onCancel, wide, passing } = props;
  const { isDirty, isSubmitting } = form.formState;
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
        <PlacesContext value={places}>{children}</PlacesContext>
        {refused && (
          <Notice tone="danger" alert>
            {refused}
          </Notice>
        )}
        <div className="flex flex-wrap gap-2">
          <Button type="submit" isPending={isSubmitting} fullWidth={wide ?? false}>
            {action}
          </Button>
          {cancel && (
            <ButtonLink href={cancel} variant="secondary">
              {t('ui:cancel')}
            </ButtonLink>
          )}
          {onCancel && (
            <Button variant="secondary" onPress={onCancel}>
              {t('ui:cancel')}
            </Button>
          )}
        </div>
      </form>
      {!passing && isDirty && <LeaveGuard />}
      {conflict && (
        <Later onMissing={conflict.close}>
          <ConflictDialog conflict={conflict as OpenConflict<unknown>} />
        </Later>
      )}
    </FormProvider>
  );
}

/** Two columns where there is room. */
export function Fields({ children }: { children: ReactNode }) {
  return <div className="grid items-start gap-5 sm:grid-cols-2">{children}</div>;
}

export type Bound<Props> = Omit<
  Props,
  'value' | 'onChange' | 'onBlur' | 'error' | 'inputRef' | 'buttonRef'
> & {
  name: string;
};

export function useField(name: string) {
  const { control } = useFormContext();
  usePlace(name);
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

/** What is wrong with a list as a whole, below it. */
export function ListError({ name }: { name: string }) {
  const { getFieldState, formState } = useFormContext();
  const errorText = useErrorText();
  usePlace(name);
  const { error } = getFieldState(name, formState);
  const wrong = errorText(error?.message ?? error?.root?.message);
  return (
    wrong && (
      <p role="alert" className="text-xs text-danger">
        {wrong}
      </p>
    )
  );
}

export function Toggle(props: Bound<ComponentProps<typeof SwitchField>>) {
  const { name, ...rest } = props;
  const { value, onChange, onBlur } = useField(name);
  const change = (on: boolean) => {
    onChange(on);
    // There is no leaving it that could be waited for: whoever switches has touched it.
    onBlur();
  };
  return <SwitchField {...rest} value={value as boolean} onChange={change} />;
}
