/**
 * Which commands are meant by what was typed.
 */
export interface Command {
  id: string;
  label: string;
  /** A second line that tells equal names apart. */
  detail?: string | undefined;
  /** Other words for it. */
  words?: string;
  run: () => void;
}

export interface CommandGroup {
  title: string;
  commands: Command[];
}

/** Commands that have every word of `text` somewhere; those whose name begins with it come first. */
export function matching(groups: readonly CommandGroup[], text: string): CommandGroup[] {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const [first = ''] = words;
  return groups
    .map(({ title, commands }) => ({
      title,
      commands: commands
        .filter((command) => {
          const all = plain(`${command.label} ${command.detail ?? ''} ${command.words ?? ''}`);
          return words.every((word) => all.includes(word));
        })
        .sort((one, other) => rank(one, first) - rank(other, first)),
    }))
    .filter(({ commands }) => commands.length > 0);
}

function rank({ label }: Command, first: string): number {
  return plain(label).startsWith(first) ? 0 : 1;
}

/** Without capitals and accents: `Geräte` is found as `gerate` too. */
function plain(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
}
