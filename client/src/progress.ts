/** Shows the server's cancellable work, which the user waits for, as a notification. */
import { commands, ProgressLocation, type Progress as Shown, window } from 'vscode';
import type {
  ProgressToken,
  WorkDoneProgressBegin,
  WorkDoneProgressEnd,
  WorkDoneProgressReport,
} from 'vscode-languageclient/node';

type Params = WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd;
interface Work {
  readonly close: () => void;
  show?: Shown<{ message?: string; increment?: number }>;
  /** What came before the notification was there. */
  message?: string;
  percentage: number;
}

/** The work under way; everything that cannot be cancelled stays in the status bar. */
export class Progress {
  private readonly works = new Map<ProgressToken, Work>();

  constructor(private readonly cancel: (token: ProgressToken) => void) {}

  /** Middleware of the language client. */
  handle(token: ProgressToken, params: Params, next: () => void): void {
    const work = this.works.get(token);
    if (params.kind === 'begin' && params.cancellable) this.begin(token, params);
    else if (work && params.kind === 'report') report(work, params);
    else {
      this.close(token);
      next();
    }
  }

  /** The server is gone: nothing is under way any more. */
  clear(): void {
    for (const token of [...this.works.keys()]) this.close(token);
  }

  private begin(token: ProgressToken, params: WorkDoneProgressBegin): void {
    let close = () => {};
    const ended = new Promise<void>((resolve) => {
      close = resolve;
    });
    const work: Work = { close, percentage: 0 };
    this.works.set(token, work);
    this.announce();
    report(work, params);
    const options = {
      location: ProgressLocation.Notification,
      title: params.title,
      cancellable: true,
    };
    void window.withProgress(options, (shown, cancellation) => {
      work.show = shown;
      shown.report({ ...(work.message && { message: work.message }), increment: work.percentage });
      cancellation.onCancellationRequested(() => this.cancel(token));
      return ended;
    });
  }

  private close(token: ProgressToken): void {
    this.works.get(token)?.close();
    if (this.works.delete(token)) this.announce();
  }

  private announce(): void {
    void commands.executeCommand('setContext', 'alembicRoundtrip.rehearsing', this.works.size > 0);
  }
}

function report(work: Work, params: WorkDoneProgressBegin | WorkDoneProgressReport): void {
  const percentage = Math.min(params.percentage ?? work.percentage, 100);
  const increment = Math.max(0, percentage - work.percentage);
  work.percentage += increment;
  if (params.message) work.message = params.message;
  work.show?.report({ ...(params.message && { message: params.message }), increment });
}
