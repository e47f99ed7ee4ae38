/**
 * The forms in which a mail can be looked at, one at a time.
 */
import { Button } from '@tandem/ui';
import { useState, type ReactNode } from 'react';

interface ViewsProps {
  label: string;
  views: { id: string; title: string; show: () => ReactNode }[];
}

export function Views({ label, views }: ViewsProps) {
  const [chosen, setChosen] = useState(views[0]?.id);
  const view = views.find(({ id }) => id === chosen) ?? views[0];
  return (
    <>
      <div role="group" aria-label={label} className="mb-3 flex flex-wrap gap-2">
        {views.map(({ id, title }) => (
          <Button
            key={id}
            size="sm"
            variant={id === view?.id ? 'primary' : 'secondary'}
            aria-pressed={id === view?.id}
            onPress={() => setChosen(id)}
          >
            {title}
          </Button>
        ))}
      </div>
      {view?.show()}
    </>
  );
}
