/** A report as a read-only document. */
import {
  type Disposable,
  EventEmitter,
  type TextDocumentContentProvider,
  Uri,
  window,
  workspace,
} from 'vscode';

const SCHEME = 'alembic-roundtrip';

/** Holds the newest report; the document that shows it is always the same. */
export class Details implements TextDocumentContentProvider, Disposable {
  private readonly uri = Uri.from({ scheme: SCHEME, path: '/Round trip' });
  private readonly changed = new EventEmitter<Uri>();
  private text = '';

  readonly onDidChange = this.changed.event;

  private readonly registered = workspace.registerTextDocumentContentProvider(SCHEME, this);

  provideTextDocumentContent(): string {
    return this.text;
  }

  async show(text: string): Promise<void> {
    this.text = text;
    this.changed.fire(this.uri);
    const document = await workspace.openTextDocument(this.uri);
    await window.showTextDocument(document, { preview: true });
  }

  dispose(): void {
    this.registered.dispose();
    this.changed.dispose();
  }
}
