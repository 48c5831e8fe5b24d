/** The language server: found, started, restarted, stopped. */
import { type Disposable, type LogOutputChannel, Uri, workspace } from 'vscode';
import {
  type DynamicFeature,
  type Executable,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
  type StaticFeature,
  WorkDoneProgressCancelNotification,
} from 'vscode-languageclient/node';
import type { Environments } from './environments.ts';
import { Progress } from './progress.ts';
import * as python from './python.ts';
import { Queue } from './queue.ts';
import { SECTION, setting, written } from './settings.ts';
import type { SetUp } from './setUp.ts';
import type { Status } from './status.ts';

/** The parts of the extension that the server is shown through. */
export interface Parts {
  readonly log: LogOutputChannel;
  readonly status: Status;
  readonly setUp: SetUp;
  readonly environments: Environments;
  readonly commands: () => StaticFeature;
  /** A folder that holds no Python: the extension's own. */
  readonly folder: string;
}

/** What to start, and how to call it. */
interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly label: string;
}

/** A client without the library's feature for commands; ours takes its place. */
class Client extends LanguageClient {
  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    const method = 'registrationType' in feature ? feature.registrationType.method : undefined;
    if (method !== ExecuteCommandRequest.method) super.registerFeature(feature);
  }
}

/** The one server of this window. */
export class Server implements Disposable {
  private readonly queue = new Queue(() => this.replace());
  private client: Client | undefined;
  private latest: Promise<void> = Promise.resolve();

  constructor(private readonly parts: Parts) {}

  /** Starts the server, or another one in its place. */
  restart(why: string): Promise<void> {
    this.parts.log.info(`starting the language server: ${why}`);
    this.latest = this.queue.request();
    return this.latest;
  }

  async ready(): Promise<LanguageClient | undefined> {
    await this.latest;
    if (this.client?.isRunning()) return this.client;
    void this.parts.setUp.explain();
    return undefined;
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    // A server that crashed or never answered cannot be asked to stop; its process is gone or killed.
    await client?.dispose().catch((error: unknown) => this.parts.log.warn(String(error)));
  }

  dispose(): void {
    void this.stop();
  }

  private async replace(): Promise<void> {
    const { status, log } = this.parts;
    await this.stop();
    status.show({ kind: 'starting' });
    const program = await this.find();
    if (!program) return;
    const began = Date.now();
    try {
      this.client = this.make(program);
      await this.client.start();
      log.info(`language server started in ${Date.now() - began} ms: ${program.label}`);
    } catch (error) {
      log.error(`the language server did not start: ${String(error)}`);
      status.show({ kind: 'stopped', why: `The language server did not start: ${program.label}` });
    }
  }

  private make(program: Program): Client {
    const { log } = this.parts;
    const executable: Executable = {
      command: program.command,
      args: [...program.args],
      options: { cwd: this.parts.folder, env: python.environment() },
    };
    const progress = new Progress(
      (token) => void client.sendNotification(WorkDoneProgressCancelNotification.type, { token }),
    );
    const client = new Client(SECTION, 'Alembic Roundtrip', executable, {
      ...OPTIONS,
      outputChannel: log,
      initializationOptions: { trusted: workspace.isTrusted, settings: written() },
      middleware: {
        handleWorkDoneProgress: (token, params, next) =>
          progress.handle(token, params, () => next(token, params)),
        workspace: {
          configuration: (params) =>
            params.items.map(({ section, scopeUri }) =>
              section === SECTION ? written(scopeUri ? Uri.parse(scopeUri) : undefined) : null,
            ),
        },
      },
    });
    client.registerFeature(this.parts.commands());
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped) progress.clear();
      if (this.client === client) this.tell(newState, program);
    });
    return client;
  }

  private tell(state: State, program: Program): void {
    const { status } = this.parts;
    if (state === State.Running)
      status.show({ kind: 'running', server: program.label, trusted: workspace.isTrusted });
    else if (state === State.Starting) status.show({ kind: 'starting' });
    else status.show({ kind: 'stopped', why: 'The language server stopped' });
  }

  private async find(): Promise<Program | undefined> {
    const { log, status, setUp } = this.parts;
    const [command, ...args] = setting<string[]>('serverCommand') ?? [];
    if (command) return { command, args, label: [command, ...args].join(' ') };
    const search = await python.search(
      await sources(this.parts.environments),
      python.asker(this.parts.folder),
      isAllowed,
    );
    for (const { interpreter, answer } of search.asked)
      log.info(`${interpreter.path} (${interpreter.source}): ${words(answer)}`);
    const { found } = search;
    if (found) {
      const label = `alembic-roundtrip ${found.version} in ${found.path} (${found.source})`;
      return { command: found.path, args: ['-m', 'alembic_roundtrip', 'server'], label };
    }
    status.show({ kind: 'missing', why: setUp.missing(search) });
    void setUp.explainOnce();
    return undefined;
  }
}

const OPTIONS: LanguageClientOptions = {
  documentSelector: [{ scheme: 'file', language: 'python' }],
  revealOutputChannelOn: RevealOutputChannelOn.Never,
};

/** An interpreter's answer, for the log. */
function words(answer: python.Answer): string {
  if (answer.kind === 'ready') return `alembic-roundtrip ${answer.version}`;
  return answer.kind === 'missing' ? 'no alembic-roundtrip' : answer.reason;
}

/** Where interpreters are looked for, in order. */
async function sources(environments: Environments): Promise<python.Source[]> {
  const roots = (workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  const projects = await workspace.findFiles(
    '**/alembic.ini',
    '**/{node_modules,.venv,venv}/**',
    50,
  );
  const folders = projects.map((file) => Uri.joinPath(file, '..').fsPath).sort();
  const configured = setting<string>('python');
  return [
    {
      name: `the setting ${SECTION}.python`,
      decisive: true,
      candidates: () => (configured ? [configured] : []),
    },
    ...environments.sources(projects[0] ?? workspace.workspaceFolders?.[0]?.uri),
    {
      name: 'beside the project',
      candidates: () => python.beside([...folders, ...roots], roots),
    },
    ...python.ofShell(),
  ];
}

/** A workspace that is not trusted may not bring the program that reads it. */
function isAllowed(path: string): boolean {
  const folders = (workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
  return workspace.isTrusted || !python.isWithin(path, folders);
}
