/** The status bar item: whether there is a server, and what it is. */
import { type Disposable, MarkdownString, StatusBarAlignment, ThemeColor, window } from 'vscode';

/** What the item tells. */
export type State =
  | { readonly kind: 'starting' }
  | { readonly kind: 'running'; readonly server: string; readonly trusted: boolean }
  | { readonly kind: 'missing'; readonly why: string }
  | { readonly kind: 'stopped'; readonly why: string };

const ICONS = {
  starting: 'sync~spin',
  running: 'check',
  missing: 'warning',
  stopped: 'error',
} as const;

/** Shows the newest state it is told. */
export class Status implements Disposable {
  private readonly item = window.createStatusBarItem('server', StatusBarAlignment.Left);

  constructor() {
    this.item.name = 'Alembic Roundtrip';
    this.show({ kind: 'starting' });
    this.item.show();
  }

  show(state: State): void {
    const restricted = state.kind === 'running' && !state.trusted;
    this.item.text = `$(${restricted ? 'shield' : ICONS[state.kind]}) Alembic Roundtrip`;
    this.item.tooltip = tooltip(state);
    this.item.command =
      state.kind === 'missing' ? 'alembicRoundtrip.setUp' : 'alembicRoundtrip.showLog';
    this.item.backgroundColor = background(state);
  }

  dispose(): void {
    this.item.dispose();
  }
}

function background(state: State): ThemeColor | undefined {
  if (state.kind === 'missing') return new ThemeColor('statusBarItem.warningBackground');
  if (state.kind === 'stopped') return new ThemeColor('statusBarItem.errorBackground');
  return undefined;
}

function tooltip(state: State): MarkdownString {
  const text = new MarkdownString(undefined, true);
  text.isTrusted = {
    enabledCommands: ['alembicRoundtrip.restartServer', 'alembicRoundtrip.showLog'],
  };
  text.appendText(sentence(state));
  text.appendMarkdown(
    '\n\n[Restart Server](command:alembicRoundtrip.restartServer) · [Show Log](command:alembicRoundtrip.showLog)',
  );
  return text;
}

function sentence(state: State): string {
  switch (state.kind) {
    case 'starting':
      return 'The language server is starting';
    case 'running':
      return state.trusted
        ? `Language server: ${state.server}`
        : `Restricted Mode: migrations are read, not rehearsed. Language server: ${state.server}`;
    default:
      return state.why;
  }
}
