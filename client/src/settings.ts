/** The user's settings. */
import { type ConfigurationScope, workspace } from 'vscode';

export const SECTION = 'alembicRoundtrip';

/** One setting, its default included. */
export function setting<T>(name: string, scope?: ConfigurationScope): T | undefined {
  return workspace.getConfiguration(SECTION, scope).get<T>(name);
}

/**
 * The settings somebody wrote down.
 *
 * Defaults are left out: sent to the server they would win over the project's pyproject.toml.
 */
export function written(scope?: ConfigurationScope): Record<string, unknown> {
  const settings = workspace.getConfiguration(SECTION, scope);
  const names = Object.keys(settings).filter((name) => settings.inspect(name) !== undefined);
  return Object.fromEntries(
    names.filter((name) => isWritten(name, scope)).map((name) => [name, settings.get(name)]),
  );
}

function isWritten(name: string, scope?: ConfigurationScope): boolean {
  const found = workspace.getConfiguration(SECTION, scope).inspect(name);
  return [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some(
    (value) => value !== undefined,
  );
}
