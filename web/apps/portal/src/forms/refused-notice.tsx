/**
 * What the server refused of something that is no form, such as a button or a dialog; nothing while it has not.
 */
import { Notice } from '@tandem/ui';

import { useErrorText } from './error-text';
import { messagesOf } from './refused';

export function RefusedNotice({ error }: { error: Error | null | undefined }) {
  const errorText = useErrorText();
  const refused = error && errorText(messagesOf(error, []).whole);
  if (!refused) return null;
  return (
    <Notice tone="danger" alert>
      {refused}
    </Notice>
  );
}
