/** A report as a read-only document. */
import {
  commands,
  type Disposable,
  EventEmitter,
  type TextDocumentContentProvider,
  Uri,
  window,
  workspace,
} from 'vscode';

const SCHEME = 'alembic-roundtrip';

/** Holds the newest report of each name; the document that shows one is always the same. */
export class Details implements TextDocumentContentProvider, Disposable {
  private readonly changed = new EventEmitter<Uri>();
  private readonly texts = new Map<string, string>();

  readonly onDidChange = this.changed.event;

  private readonly registered = workspace.registerTextDocumentContentProvider(SCHEME, this);

  provideTextDocumentContent(uri: Uri): string {
    return this.texts.get(uri.path) ?? '';
  }

  /** Shows a text, and Markdown as it is meant to look. */
  async show(text: string, name = 'Round trip'): Promise<void> {
    const uri = Uri.from({ scheme: SCHEME, path: `/${name}` });
    this.texts.set(uri.path, text);
    this.changed.fire(uri);
    const document = await workspace.openTextDocument(uri);
    if (name.endsWith('.md')) await commands.executeCommand('markdown.showPreview', uri);
    else await window.showTextDocument(document, { preview: true });
  }

  dispose(): void {
    this.registered.dispose();
    this.changed.dispose();
  }
}
