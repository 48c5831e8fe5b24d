/** The interpreter chosen in the editor's Python extensions, where there are any. */
import type { PythonEnvironmentApi } from '@vscode/python-environments';
import type { PythonExtension } from '@vscode/python-extension';
import { type Disposable, type Event, extensions, type Uri } from 'vscode';
import type { Source } from './python.ts';

/** How long an extension may take to say which interpreter it has. */
const PATIENCE = 3_000;

/** One of the extensions: how to ask it, and how it tells of another choice. */
interface Chooser {
  readonly name: string;
  ask(resource: Uri | undefined): Promise<string | undefined>;
  changes(): Promise<Event<unknown> | undefined>;
}

const ENVIRONMENTS: Chooser = {
  name: 'the Python Environments extension',
  async ask(resource) {
    const environment = await (await environments())?.getEnvironment(resource);
    return environment?.execInfo.run.executable;
  },
  changes: async () => (await environments())?.onDidChangeEnvironment,
};

const PYTHON: Chooser = {
  name: 'the Python extension',
  async ask(resource) {
    const api = (await python())?.environments;
    const chosen = await api?.resolveEnvironment(api.getActiveEnvironmentPath(resource));
    return chosen?.executable.uri?.fsPath;
  },
  changes: async () => (await python())?.environments.onDidChangeActiveEnvironmentPath,
};

const environments = () => activated<PythonEnvironmentApi>('ms-python.vscode-python-envs');
const python = () => activated<PythonExtension>('ms-python.python');

async function activated<Api>(id: string): Promise<Api | undefined> {
  return extensions.getExtension<Api>(id)?.activate();
}

/** What the extensions say, and said: they are slow to start, and nothing here waits for them. */
export class Environments implements Disposable {
  private readonly known = new Map<Chooser, string | undefined>();
  private readonly listeners: Disposable[] = [];

  /** `changed` is called when there is another answer than the last one. */
  constructor(
    private readonly changed: () => void,
    private readonly warn: (message: string) => void,
  ) {
    for (const chooser of [ENVIRONMENTS, PYTHON]) void this.listen(chooser);
  }

  /** Both extensions, the newer one first; the absent ones have no candidates. */
  sources(resource: Uri | undefined): Source[] {
    return [ENVIRONMENTS, PYTHON].map((chooser) => ({
      name: chooser.name,
      candidates: async () => {
        const answer = await this.patiently(chooser, resource);
        return answer ? [answer] : [];
      },
    }));
  }

  dispose(): void {
    for (const listener of this.listeners) listener.dispose();
  }

  /** The answer, or the last one where it does not come in time. */
  private async patiently(chooser: Chooser, resource: Uri | undefined) {
    let late = false;
    const answer = this.asked(chooser, resource).then((path) => {
      const other = path !== this.known.get(chooser);
      this.known.set(chooser, path);
      if (late && other) this.changed();
    });
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((done) => {
      timer = setTimeout(() => {
        late = true;
        done();
      }, PATIENCE);
    });
    await Promise.race([answer, patience]);
    clearTimeout(timer);
    return this.known.get(chooser);
  }

  private async asked(chooser: Chooser, resource: Uri | undefined): Promise<string | undefined> {
    try {
      return await chooser.ask(resource);
    } catch (error) {
      this.warn(`${chooser.name} has no answer: ${String(error)}`);
      return undefined;
    }
  }

  private async listen(chooser: Chooser): Promise<void> {
    try {
      const listener = (await chooser.changes())?.(() => this.changed());
      if (listener) this.listeners.push(listener);
    } catch (error) {
      this.warn(`${chooser.name} tells of no changes: ${String(error)}`);
    }
  }
}
