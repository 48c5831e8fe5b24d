/** One server process and the language client that talks to it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type LogOutputChannel, Uri, workspace } from 'vscode';
import {
  CloseAction,
  type CloseHandlerResult,
  type DynamicFeature,
  type ErrorHandler,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  RevealOutputChannelOn,
  State,
  type StaticFeature,
  WorkDoneProgressCancelNotification,
} from 'vscode-languageclient/node';
import { Progress } from './progress.ts';
import { environment } from './python.ts';
import { SECTION, written } from './settings.ts';

/** How long a server may take to answer for the first time, in milliseconds. */
const PATIENCE = 60_000;

/** What to start, and how to call it. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly label: string;
}

/** What a connection needs of its surroundings. */
export interface Surroundings {
  readonly log: LogOutputChannel;
  readonly commands: StaticFeature;
  /** A folder that holds no Python: nothing of the workspace may be imported by the server. */
  readonly folder: string;
  readonly changed: (state: State) => void;
}

/** A client without the library's feature for commands; ours takes its place. */
class Client extends LanguageClient {
  /** Whether a failure is only logged: that of a start is told by us, with the next step. */
  quiet = true;

  override error(message: string, data?: unknown, shown: boolean | 'force' = true): void {
    super.error(message, data, this.quiet ? false : shown);
  }

  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    const method = 'registrationType' in feature ? feature.registrationType.method : undefined;
    if (method !== ExecuteCommandRequest.method) super.registerFeature(feature);
  }
}

/** Begins with `start`, ends with `end`; a server that crashes in between is started again. */
export class Connection {
  readonly client: Client;
  private child: ChildProcess | undefined;
  private lastWords = '';
  private phase: 'starting' | 'started' | 'ended' = 'starting';
  private giveUp: (why: Error) => void = () => {};

  constructor(
    private readonly program: Program,
    private readonly surroundings: Surroundings,
  ) {
    const progress = new Progress(
      (token) => void client.sendNotification(WorkDoneProgressCancelNotification.type, { token }),
    );
    const client: Client = new Client(SECTION, 'Alembic Roundtrip', () => this.launch(), {
      ...OPTIONS,
      outputChannel: surroundings.log,
      initializationFailedHandler: () => false,
      stdioOptions: { stderr: (stream, log) => this.hear(stream, log), stdout: relay },
      initializationOptions: {
        trusted: workspace.isTrusted,
        reportsResults: true,
        settings: written(),
      },
      middleware: middleware(progress),
      errorHandler: {
        error: (...error) => usual.error(...error),
        closed: () => (this.phase === 'started' ? usual.closed() : ENOUGH),
      },
    });
    const usual: ErrorHandler = client.createDefaultErrorHandler();
    client.registerFeature(surroundings.commands);
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Stopped) progress.clear();
      if (this.phase === 'started') surroundings.changed(newState);
    });
    this.client = client;
  }

  /** Resolves when the server has answered; fails if it will not. */
  async start(): Promise<void> {
    const givenUp = new Promise<never>((_, reject) => {
      this.giveUp = reject;
    });
    const late = new Error(`there was no answer within ${PATIENCE / 1000} s`);
    const timer = setTimeout(() => this.giveUp(late), PATIENCE);
    try {
      // The library waits for ever for a server that does not answer, and cannot be told to stop.
      await Promise.race([this.answered(), givenUp]);
      this.phase = 'started';
      this.client.quiet = false;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Stops waiting for a server that has not answered yet. */
  abandon(): void {
    this.giveUp(new Error('another one is wanted'));
  }

  /** Ends the server, whatever state it is in. */
  async end(): Promise<void> {
    this.phase = 'ended';
    try {
      await this.client.dispose();
    } catch (error) {
      this.surroundings.log.info(`the language server did not end by itself: ${String(error)}`);
    } finally {
      this.child?.kill('SIGKILL');
    }
  }

  private async answered(): Promise<void> {
    try {
      await this.client.start();
    } catch (error) {
      // That a connection was closed says less than what a program writes when it cannot start.
      throw this.lastWords ? new Error(`it ended with “${this.lastWords}”`) : error;
    }
  }

  private hear(stream: Readable, log: LogOutputChannel): void {
    relay(stream, log).on('line', (line) => {
      if (line.trim()) this.lastWords = line.trim();
    });
  }

  private async launch(): Promise<ChildProcess> {
    const { command, args } = this.program;
    const options = { cwd: this.surroundings.folder, env: environment(), windowsHide: true };
    const child = spawn(command, args, options);
    await once(child, 'spawn');
    this.child = child;
    return child;
  }
}

/** A server that has never answered, or that we ended, is not started again. */
const ENOUGH: CloseHandlerResult = { action: CloseAction.DoNotRestart, handled: true };

/** Migrations, settings, and what may run Alembic's commands. */
const LANGUAGES = ['python', 'toml', 'ini', 'shellscript', 'yaml', 'makefile', 'dockerfile'];

const OPTIONS: LanguageClientOptions = {
  documentSelector: LANGUAGES.map((language) => ({ scheme: 'file', language })),
  revealOutputChannelOn: RevealOutputChannelOn.Never,
};

/** Takes over the lines the server writes, each at the level it begins with. */
function relay(stream: Readable, log: LogOutputChannel): Interface {
  let write = log.info;
  return createInterface(stream).on('line', (line) => {
    const level = /^(DEBUG|INFO|WARNING|ERROR|CRITICAL) /.exec(line)?.[1];
    // The lines of a traceback belong to the one before them.
    if (level) write = writer(log, level);
    write(line);
  });
}

function writer(log: LogOutputChannel, level: string): LogOutputChannel['info'] {
  if (level === 'DEBUG') return log.debug;
  if (level === 'INFO') return log.info;
  return level === 'WARNING' ? log.warn : log.error;
}

function middleware(progress: Progress): Middleware {
  return {
    handleWorkDoneProgress: (token, params, next) =>
      progress.handle(token, params, () => next(token, params)),
    workspace: {
      configuration: ({ items }) =>
        items.map(({ section, scopeUri }) =>
          section === SECTION ? written(scopeUri ? Uri.parse(scopeUri) : undefined) : null,
        ),
    },
  };
}
