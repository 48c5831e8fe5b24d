/** The one language server of this window: started, restarted, stopped, and its state told. */
import { type Disposable, type LogOutputChannel, workspace } from 'vscode';
import { type LanguageClient, State, type StaticFeature } from 'vscode-languageclient/node';
import { Connection, type Program } from './connection.ts';
import type { Environments } from './environments.ts';
import * as program from './program.ts';
import { Queue } from './queue.ts';
import type { SetUp } from './setUp.ts';
import type { Status } from './status.ts';

/** The parts of the extension that a server needs and is shown through. */
export interface Parts {
  readonly log: LogOutputChannel;
  readonly status: Status;
  readonly setUp: SetUp;
  readonly environments: Environments;
  readonly commands: () => StaticFeature;
  /** The extension's own. */
  readonly folder: string;
}

/** Restarts wait for each other, and never pile up. */
export class Server implements Disposable {
  private readonly queue = new Queue(() => this.replace());
  private connection: Connection | undefined;
  private latest: Promise<void> = Promise.resolve();

  constructor(private readonly parts: Parts) {}

  /** Starts the server, or another one in its place. */
  restart(why: string): Promise<void> {
    this.parts.log.info(`starting the language server: ${why}`);
    this.connection?.abandon();
    this.latest = this.queue.request();
    return this.latest;
  }

  /** The running client; undefined, after the user was told why, where there is none. */
  async ready(): Promise<LanguageClient | undefined> {
    await this.latest;
    const client = this.connection?.client;
    if (client?.isRunning()) return client;
    void this.parts.setUp.explain();
    return undefined;
  }

  async stop(): Promise<void> {
    const connection = this.connection;
    this.connection = undefined;
    await connection?.end();
  }

  dispose(): void {
    void this.stop();
  }

  private async replace(): Promise<void> {
    const { status, log, setUp } = this.parts;
    await this.stop();
    status.show({ kind: 'starting' });
    try {
      const found = await this.find();
      if (found) await this.connect(found);
    } catch (error) {
      log.error(`the language server did not start: ${String(error)}`);
      status.show({ kind: 'stopped', why: setUp.failed(String(error)) });
      await this.stop();
    }
  }

  private async connect(found: Program): Promise<void> {
    const { log, folder } = this.parts;
    const began = Date.now();
    const connection = new Connection(found, {
      log,
      folder,
      commands: this.parts.commands(),
      changed: (state) => this.tell(state, found),
    });
    this.connection = connection;
    await connection.start();
    log.info(`language server started in ${Date.now() - began} ms: ${found.label}`);
    this.tell(State.Running, found);
  }

  private tell(state: State, { label }: Program): void {
    const { status, setUp } = this.parts;
    const trusted = workspace.isTrusted;
    if (state === State.Running) status.show({ kind: 'running', server: label, trusted });
    else if (state === State.Starting) status.show({ kind: 'starting' });
    else status.show({ kind: 'stopped', why: setUp.failed(`${label} ended`) });
  }

  private async find(): Promise<Program | undefined> {
    const { log, status, setUp, environments, folder } = this.parts;
    const configured = program.configured();
    if (configured) return configured;
    const search = await program.search(environments, folder, log);
    if (search.found) return program.inside(search.found);
    status.show({ kind: 'missing', why: setUp.missing(search) });
    void setUp.explainOnce();
    return undefined;
  }
}
