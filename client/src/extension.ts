/** Wires the extension's parts together. */
import {
  type ConfigurationChangeEvent,
  commands,
  type ExtensionContext,
  type TextEditor,
  window,
  workspace,
} from 'vscode';
import { Commands } from './commands.ts';
import { Details } from './details.ts';
import { Environments } from './environments.ts';
import { isMigration } from './migration.ts';
import { Server } from './server.ts';
import { SECTION } from './settings.ts';
import { SetUp } from './setUp.ts';
import { Status } from './status.ts';

/** Settings that say which server to start. */
const STARTING = ['serverCommand', 'python'].map((name) => `${SECTION}.${name}`);

let server: Server | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel('Alembic Roundtrip', { log: true });
  const status = new Status();
  const restart = (why: string) => void server?.restart(why);
  const setUp = new SetUp(context.workspaceState, () => restart('it was installed'));
  const details = new Details();
  const environments = new Environments(
    () => restart('another interpreter was chosen'),
    (message) => log.warn(message),
  );
  const folder = context.extensionPath;
  server = new Server({
    log,
    status,
    setUp,
    environments,
    folder,
    commands: () => forwarded.feature(),
  });
  const forwarded = new Commands(server, details);
  context.subscriptions.push(
    log,
    status,
    details,
    environments,
    forwarded,
    server,
    commands.registerCommand(`${SECTION}.restartServer`, () => server?.restart('on request')),
    commands.registerCommand(`${SECTION}.showLog`, () => log.show()),
    commands.registerCommand(`${SECTION}.setUp`, () => setUp.explain()),
    workspace.onDidGrantWorkspaceTrust(() => restart('the workspace is trusted now')),
    workspace.onDidChangeConfiguration((event) => {
      if (isAboutServer(event)) restart('its settings changed');
    }),
    window.onDidChangeActiveTextEditor(mark),
    workspace.onDidSaveTextDocument(() => mark(window.activeTextEditor)),
  );
  mark(window.activeTextEditor);
  // Nobody waits for the server: it is there when it is there.
  restart('the workspace was opened');
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}

function isAboutServer(event: ConfigurationChangeEvent): boolean {
  return STARTING.some((name) => event.affectsConfiguration(name));
}

/** Tells the palette whether the active document is a migration. */
function mark(editor: TextEditor | undefined): void {
  const document = editor?.document;
  const is = document?.languageId === 'python' && isMigration(document.getText());
  void commands.executeCommand('setContext', `${SECTION}.migration`, is);
}
