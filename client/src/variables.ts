/** The variables that users know from the editor's own settings. Knows nothing of the editor. */
import { join } from 'node:path';

/** What the variables stand for. */
export interface Places {
  readonly home: string;
  readonly folder: string | undefined;
}

/** A setting's value with `${workspaceFolder}`, `${userHome}` and a leading `~` filled in. */
export function filled<T>(value: T, places: Places): T;
export function filled(value: unknown, places: Places): unknown {
  if (typeof value === 'string') return text(value, places);
  if (Array.isArray(value)) return value.map((item) => filled(item, places));
  return value;
}

function text(value: string, { home, folder }: Places): string {
  const whole = /^~(?=[\\/]|$)/.test(value) ? join(home, value.slice(1)) : value;
  return whole.replace(/\$\{(workspaceFolder|userHome)\}/g, (variable, name) => {
    return (name === 'userHome' ? home : folder) ?? variable;
  });
}
