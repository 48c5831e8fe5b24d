/** The part of the Python extension's interface that ours uses; a command makes the choice. */
import type {
  ActiveEnvironmentPathChangeEvent,
  PythonExtension,
  ResolvedEnvironment,
} from '@vscode/python-extension';
import { commands, EventEmitter, type ExtensionContext, Uri } from 'vscode';

type Used =
  | 'getActiveEnvironmentPath'
  | 'resolveEnvironment'
  | 'onDidChangeActiveEnvironmentPath'
  | 'updateActiveEnvironmentPath';

type Environments = Pick<PythonExtension['environments'], Used>;

export function activate(context: ExtensionContext): { environments: Environments } {
  const changed = new EventEmitter<ActiveEnvironmentPathChangeEvent>();
  let path = '';
  const environments: Environments = {
    getActiveEnvironmentPath: () => ({ id: path, path }),
    resolveEnvironment: async () =>
      path ? ({ executable: { uri: Uri.file(path) } } as ResolvedEnvironment) : undefined,
    onDidChangeActiveEnvironmentPath: changed.event,
    updateActiveEnvironmentPath: async (choice) => {
      path = String(choice);
      changed.fire({ id: path, path, resource: undefined });
    },
  };
  const choose = environments.updateActiveEnvironmentPath;
  context.subscriptions.push(changed, commands.registerCommand('python.setInterpreter', choose));
  return { environments };
}
