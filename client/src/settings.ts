/** The user's settings. */
import { homedir } from 'node:os';
import { type ConfigurationScope, Uri, workspace } from 'vscode';
import { filled } from './variables.ts';

export const SECTION = 'alembicRoundtrip';

/** One setting, its default included. */
export function setting<T>(name: string, scope?: ConfigurationScope): T | undefined {
  return filled(workspace.getConfiguration(SECTION, scope).get<T>(name), places(scope));
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
    names
      .filter((name) => isWritten(name, scope))
      .map((name) => [name, filled(settings.get(name), places(scope))]),
  );
}

function places(scope?: ConfigurationScope) {
  const around = scope instanceof Uri ? workspace.getWorkspaceFolder(scope) : undefined;
  const folder = around ?? workspace.workspaceFolders?.[0];
  return { home: homedir(), folder: folder?.uri.fsPath };
}

function isWritten(name: string, scope?: ConfigurationScope): boolean {
  const found = workspace.getConfiguration(SECTION, scope).inspect(name);
  return [found?.globalValue, found?.workspaceValue, found?.workspaceFolderValue].some(
    (value) => value !== undefined,
  );
}
