/**
 * Parts of a page of which one is shown at a time.
 */
import type { ReactNode } from 'react';
import { Tab, TabList, TabPanel, Tabs as AriaTabs } from 'react-aria-components';

export interface TabItem {
  id: string;
  title: string;
  content: ReactNode;
}

interface TabsProps {
  label: string;
  tabs: readonly TabItem[];
  /** Absent: the tabs remember it themselves. */
  chosen?: string;
  onChoose?: (id: string) => void;
}

export function Tabs({ label, tabs, chosen, onChoose }: TabsProps) {
  return (
    <AriaTabs
      {...(chosen === undefined ? {} : { selectedKey: chosen })}
      onSelectionChange={(key) => onChoose?.(String(key))}
    >
      <TabList aria-label={label} className="mb-5 flex gap-1 overflow-x-auto border-b border-border">
        {tabs.map(({ id, title }) => (
          <Tab
            key={id}
            id={id}
            className="focusable -mb-px cursor-pointer rounded-t-md border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-muted data-[hovered]:text-foreground data-[selected]:border-accent data-[selected]:text-foreground"
          >
            {title}
          </Tab>
        ))}
      </TabList>
      {tabs.map(({ id, content }) => (
        <TabPanel key={id} id={id} className="focusable rounded-md">
          {content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
