/** Which Python the language server runs in. Knows nothing of the editor. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** A place to look for interpreters, in the order they should be tried. */
export interface Source {
  /** What it is, as the end of "python3, …". */
  readonly name: string;
  /** The user chose this one: if it cannot run the server, no other may. */
  readonly decisive?: boolean;
  candidates(): Promise<readonly string[]> | readonly string[];
}

/** An interpreter and where it was found. */
export interface Interpreter {
  readonly path: string;
  readonly source: string;
}

/** What an interpreter says when it is asked for our package. */
export type Answer =
  | { readonly kind: 'ready'; readonly version: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'broken'; readonly reason: string };

/** An interpreter that was asked, and its answer. */
export interface Asked {
  readonly interpreter: Interpreter;
  readonly answer: Answer;
}

/** The interpreter to start the server with, if any, and everything asked on the way. */
export interface Search {
  readonly found: (Interpreter & { readonly version: string }) | undefined;
  readonly asked: readonly Asked[];
  /** Interpreters that were not asked, because they may not be run. */
  readonly withheld: readonly Interpreter[];
}

export type Ask = (python: string) => Promise<Answer>;

/** Tries the sources in order until an interpreter can run the server. */
export async function search(
  sources: readonly Source[],
  ask: Ask,
  allowed: (path: string) => boolean,
): Promise<Search> {
  const asked: Asked[] = [];
  const withheld: Interpreter[] = [];
  for (const source of sources) {
    const paths = await source.candidates();
    for (const path of paths) {
      if (asked.some((earlier) => earlier.interpreter.path === path)) continue;
      const interpreter = { path, source: source.name };
      if (!allowed(path)) {
        withheld.push(interpreter);
        continue;
      }
      const answer = await ask(path);
      asked.push({ interpreter, answer });
      if (answer.kind === 'ready')
        return { found: { ...interpreter, version: answer.version }, asked, withheld };
    }
    if (source.decisive && paths.length > 0) break;
  }
  return { found: undefined, asked, withheld };
}

const VERSION = /^alembic-roundtrip (\d\S*)$/m;

/**
 * Asks an interpreter for the version of our package in it.
 *
 * `folder` must not be the user's: `-m` would import what lies there instead of what is installed.
 */
export function asker(folder: string, timeout = 20_000): Ask {
  return (python) =>
    new Promise((done) => {
      const options = { cwd: folder, timeout, env: environment(), windowsHide: true };
      execFile(
        python,
        ['-m', 'alembic_roundtrip', '--version'],
        options,
        (error, stdout, stderr) => {
          const version = VERSION.exec(stdout)?.[1];
          if (version) done({ kind: 'ready', version });
          else if (/No module named '?alembic_roundtrip'?$/m.test(stderr))
            done({ kind: 'missing' });
          else done({ kind: 'broken', reason: reason(error, stdout, stderr, timeout) });
        },
      );
    });
}

/** Our environment, and nothing imported from the folder a Python is started in. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PYTHONSAFEPATH: '1' };
}

function reason(error: Error | null, stdout: string, stderr: string, timeout: number): string {
  if (error && 'code' in error && error.code === 'ENOENT') return 'there is no such program';
  if (error && 'killed' in error && error.killed)
    return `it did not answer within ${timeout / 1000} s`;
  const said = (stderr.trim() || stdout.trim()).split('\n').at(-1)?.trim();
  return said || error?.message || 'it said nothing';
}

/** The interpreters of the virtual environments beside each folder and above it, up to a root. */
export function beside(
  folders: readonly string[],
  roots: readonly string[],
  exists = existsSync,
): string[] {
  const found = folders
    .flatMap((folder) => upwards(folder, roots))
    .flatMap((folder) => ['.venv', 'venv'].map((name) => inside(join(folder, name))));
  return [...new Set(found)].filter((python) => exists(python));
}

function upwards(folder: string, roots: readonly string[]): string[] {
  const all = [resolve(folder)];
  while (!roots.some((root) => resolve(root) === all.at(-1))) {
    const parent = dirname(all.at(-1) as string);
    if (parent === all.at(-1)) break;
    all.push(parent);
  }
  return all;
}

/** The interpreter of a virtual environment. */
export function inside(venv: string, platform = process.platform): string {
  return platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
}

/** What a shell would run: the active virtual environment, then the system's Python. */
export function ofShell(env = process.env, platform = process.platform): Source[] {
  const active = env.VIRTUAL_ENV;
  return [
    { name: 'VIRTUAL_ENV', candidates: () => (active ? [inside(active, platform)] : []) },
    {
      name: 'the PATH',
      candidates: () => (platform === 'win32' ? ['python', 'py'] : ['python3', 'python']),
    },
  ];
}

/** Whether a path is in one of the folders; a program's bare name is in none. */
export function isWithin(path: string, folders: readonly string[]): boolean {
  if (!/[\\/]/.test(path)) return false;
  return folders.some((folder) => {
    const rest = relative(folder, path);
    return rest === '' || !/^\.\.([\\/]|$)|^([a-zA-Z]:|[\\/])/.test(rest);
  });
}
