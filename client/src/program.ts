/** Which program is the language server here. */
import { type LogOutputChannel, Uri, workspace } from 'vscode';
import type { Program } from './connection.ts';
import type { Environments } from './environments.ts';
import * as python from './python.ts';
import { SECTION, setting } from './settings.ts';

/** The command that was set, as a program. */
export function configured(): Program | undefined {
  const [command, ...args] = setting<string[]>('serverCommand') ?? [];
  return command ? { command, args, label: [command, ...args].join(' ') } : undefined;
}

/** Asks the interpreters that may be the project's, in order. */
export async function search(
  environments: Environments,
  folder: string,
  log: LogOutputChannel,
): Promise<python.Search> {
  const result = await python.search(await sources(environments), python.asker(folder), isAllowed);
  for (const { interpreter, answer } of result.asked)
    log.info(`${interpreter.path} (${interpreter.source}): ${words(answer)}`);
  return result;
}

/** The server in an interpreter. */
export function inside(found: NonNullable<python.Search['found']>): Program {
  const label = `alembic-roundtrip ${found.version} in ${found.path} (${found.source})`;
  return { command: found.path, args: ['-m', 'alembic_roundtrip', 'server'], label };
}

function words(answer: python.Answer): string {
  if (answer.kind === 'ready') return `alembic-roundtrip ${answer.version}`;
  return answer.kind === 'missing' ? 'no alembic-roundtrip' : answer.reason;
}

async function sources(environments: Environments): Promise<python.Source[]> {
  const roots = folders();
  const elsewhere = '**/{node_modules,.venv,venv}/**';
  const projects = await workspace.findFiles('**/alembic.ini', elsewhere, 50);
  const around = projects.map((file) => Uri.joinPath(file, '..').fsPath).sort();
  const chosen = setting<string>('python');
  return [
    {
      name: `the setting ${SECTION}.python`,
      decisive: true,
      candidates: () => (chosen ? [chosen] : []),
    },
    ...environments.sources(projects[0] ?? workspace.workspaceFolders?.[0]?.uri),
    { name: 'beside the project', candidates: () => python.beside([...around, ...roots], roots) },
    ...python.ofShell(),
  ];
}

/** A workspace that is not trusted may not bring the program that reads it. */
function isAllowed(path: string): boolean {
  return workspace.isTrusted || !python.isWithin(path, folders());
}

function folders(): string[] {
  return (workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
}
