/** Which documents the commands on one revision are for. Knows nothing of the editor. */

const IDENTIFIERS = [/^revision\s*(:[^=\n]+)?=/m, /^down_revision\s*(:[^=\n]+)?=/m];

/** Whether a text looks like a migration script: it names itself and what it revises. */
export function isMigration(text: string): boolean {
  return IDENTIFIERS.every((identifier) => identifier.test(text));
}
