/** The interpreter chosen in the editor's Python extensions, where there are any. */
import { type Disposable, type Event, extensions, type Uri } from 'vscode';
import type { Source } from './python.ts';

/** How long an extension may take to say which interpreter it has. */
const PATIENCE = 3_000;

interface Environments {
  getEnvironment(
    scope: Uri | undefined,
  ): Promise<{ execInfo: { run: { executable: string } } } | undefined>;
  readonly onDidChangeEnvironment?: Event<unknown>;
}

interface Python {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: Uri): { path: string };
    resolveEnvironment(path: {
      path: string;
    }): Promise<{ executable: { uri?: Uri | undefined } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath?: Event<unknown>;
  };
}

/** Both extensions, the newer one first; the absent ones have no candidates. */
export function ofExtensions(resource: Uri | undefined): Source[] {
  return [
    {
      name: 'the Python Environments extension',
      candidates: () => patiently(() => ofEnvironments(resource)),
    },
    { name: 'the Python extension', candidates: () => patiently(() => ofPython(resource)) },
  ];
}

async function ofEnvironments(resource: Uri | undefined): Promise<string | undefined> {
  const api = await activated<Environments>('ms-python.vscode-python-envs');
  return (await api?.getEnvironment(resource))?.execInfo.run.executable;
}

async function ofPython(resource: Uri | undefined): Promise<string | undefined> {
  const environments = (await activated<Python>('ms-python.python'))?.environments;
  if (!environments) return undefined;
  const chosen = environments.getActiveEnvironmentPath(resource);
  return (await environments.resolveEnvironment(chosen))?.executable.uri?.fsPath;
}

/** Calls back when another interpreter is chosen. */
export async function watch(changed: () => void): Promise<Disposable[]> {
  const [environments, python] = await Promise.all([
    activated<Environments>('ms-python.vscode-python-envs'),
    activated<Python>('ms-python.python'),
  ]);
  return [
    environments?.onDidChangeEnvironment?.(changed),
    python?.environments?.onDidChangeActiveEnvironmentPath?.(changed),
  ].filter((listener) => listener !== undefined);
}

async function activated<Api>(id: string): Promise<Api | undefined> {
  const extension = extensions.getExtension<Api>(id);
  return extension?.activate();
}

/** The answer as a list, empty where it does not come or not in time. */
async function patiently(ask: () => Promise<string | undefined>): Promise<string[]> {
  const late = new Promise<undefined>((done) => setTimeout(done, PATIENCE, undefined));
  const answer = await Promise.race([ask(), late]).catch(() => undefined);
  return answer ? [answer] : [];
}
