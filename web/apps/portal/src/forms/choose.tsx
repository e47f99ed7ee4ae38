/**
 * A choice from a list, bound to its value in the form.
 */
import { ChoiceField } from '@tandem/ui';
import type { ComponentProps } from 'react';

import { useField, type Bound } from './form';

export function Choose(props: Bound<ComponentProps<typeof ChoiceField>>) {
  const { name, ...rest } = props;
  const { attach, ...bound } = useField(name);
  return <ChoiceField {...rest} {...bound} buttonRef={attach} />;
}
