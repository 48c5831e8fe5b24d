/** The commands: the palette's and those that only the server knows, all run the same way. */
import { commands, type Disposable, Uri, window, workspace } from 'vscode';
import {
  ExecuteCommandRequest,
  type LanguageClient,
  LSPErrorCodes,
  ResponseError,
  type ServerCapabilities,
  type StaticFeature,
} from 'vscode-languageclient/node';
import type { Details } from './details.ts';
import { details, headline, isPlan, isResult, type Result, severity } from './report.ts';

/** The server's commands that the manifest puts into the palette. */
const PALETTE = [
  'testRevision',
  'testAll',
  'scaffoldDowngrade',
  'scaffoldFromDatabase',
  'planRollback',
  'clearEvidence',
  'cancel',
].map((name) => `alembicRoundtrip.${name}`);

const PLAN = 'alembicRoundtrip.planRollback';

/** What commands need of the server. */
export interface Runner {
  /** The running client; undefined, after the user was told why, where there is none. */
  ready(): Promise<LanguageClient | undefined>;
}

/** Forwards commands to the server and shows what comes back. */
export class Commands implements Disposable {
  private readonly registered: Disposable[];

  constructor(
    private readonly runner: Runner,
    private readonly details: Details,
  ) {
    this.registered = PALETTE.map((id) => this.register(id));
  }

  /**
   * The client's feature for `workspace/executeCommand`.
   *
   * The library's own registers every id the server announces, and fails for those of the palette,
   * which must exist before there is a server. This one adds only what is not there yet.
   */
  feature(): StaticFeature {
    let added: Disposable[] = [];
    return {
      fillClientCapabilities: (capabilities) => {
        capabilities.workspace = { ...capabilities.workspace, executeCommand: {} };
      },
      initialize: (capabilities: ServerCapabilities) => {
        const announced = capabilities.executeCommandProvider?.commands ?? [];
        added = announced.filter((id) => !PALETTE.includes(id)).map((id) => this.register(id));
      },
      getState: () => ({ kind: 'static' }),
      clear: () => {
        for (const command of added.splice(0)) command.dispose();
      },
    };
  }

  dispose(): void {
    for (const command of this.registered) command.dispose();
  }

  private register(id: string): Disposable {
    return commands.registerCommand(id, (...given: unknown[]) => this.run(id, given));
  }

  private async run(command: string, given: readonly unknown[]): Promise<unknown> {
    const client = await this.runner.ready();
    if (!client) return undefined;
    if (/\.(test|scaffoldFrom|plan)[A-Z]/.test(command)) await save();
    try {
      const params = { command, arguments: plain(client, given) };
      if (command === PLAN && !(await aimed(params.arguments))) return undefined;
      const result = await client.sendRequest(ExecuteCommandRequest.type, params);
      if (isPlan(result)) void this.details.show(result.markdown, 'Rollback plan.md');
      else if (isResult(result)) void this.show(result);
      return result;
    } catch (error) {
      void this.explain(client, error);
      return undefined;
    }
  }

  private async show(result: Result): Promise<void> {
    const say = {
      error: window.showErrorMessage,
      warning: window.showWarningMessage,
      information: window.showInformationMessage,
    }[severity(result)];
    const button = await say(headline(result), 'Show details');
    if (button) await this.details.show(details(result));
  }

  private async explain(client: LanguageClient, error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof ResponseError ? error.code : undefined;
    if (code !== undefined && CANCELLED.includes(code)) {
      window.setStatusBarMessage(message, 5_000);
    } else if (code === LSPErrorCodes.RequestFailed) {
      await window.showWarningMessage(message);
    } else if (await window.showErrorMessage(message, 'Show log')) {
      client.outputChannel.show();
    }
  }
}

/** Nothing to interrupt anybody for: it was their own wish. */
const CANCELLED: number[] = [LSPErrorCodes.RequestCancelled, LSPErrorCodes.ServerCancelled];

/** Arguments as the server takes them: from a menu comes a resource, from the palette nothing. */
function plain(client: LanguageClient, given: readonly unknown[]): unknown[] {
  const [first = window.activeTextEditor?.document.uri, ...others] = given;
  if (first instanceof Uri) return [client.code2ProtocolConverter.asUri(first)];
  return first === undefined ? [] : [first, ...others];
}

/** Puts the target of a plan into its arguments; false where the user thought better of it. */
async function aimed(given: unknown[]): Promise<boolean> {
  const [first] = given;
  if (typeof first === 'object') return true;
  const target = await window.showInputBox({
    title: 'Plan a rollback; nothing is run',
    prompt: 'To which revision? An id, a part of one, base, -2',
    placeHolder: 'Empty: undo the open migration and what builds on it',
  });
  given[0] = { uri: first, target };
  return target !== undefined;
}

/** A rehearsal reads the files: what is only in an editor would not be tested. */
async function save(): Promise<void> {
  const wanted = workspace.getConfiguration('testing').get<boolean>('saveBeforeTest', true);
  const open = workspace.textDocuments.filter(
    (document) => document.isDirty && !document.isUntitled && document.languageId === 'python',
  );
  if (wanted) await Promise.all(open.map((document) => document.save()));
}
