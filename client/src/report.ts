/** What a rehearsal's result says, in words. Knows nothing of the editor. */

/** As `alembic-roundtrip test --format json` has it. */
export interface Result {
  readonly database: { readonly kind: string; readonly version: string };
  readonly rows: number;
  readonly revisions: readonly Revision[];
}

export interface Revision {
  readonly revision: string;
  readonly path: string;
  readonly verdict: string;
  readonly seconds: number;
  readonly steps: readonly Step[];
  readonly residue: readonly Residue[];
  readonly losses: readonly Loss[];
  readonly reason: string | null;
}

interface Step {
  readonly name: string;
  readonly seconds: number;
  readonly error: { readonly type: string; readonly message: string } | null;
}

interface Residue {
  readonly kind: string;
  readonly object: string;
  readonly change: string;
  readonly before: unknown;
  readonly after: unknown;
}

interface Loss {
  readonly table: string;
  readonly column: string | null;
  readonly lost: number;
  readonly rows: number;
  readonly step: string;
}

/** The databases' own names. */
const DATABASES: Record<string, string> = {
  sqlite: 'SQLite',
  postgresql: 'PostgreSQL',
  mariadb: 'MariaDB',
  mysql: 'MySQL',
};

/** The worst first. */
const VERDICTS = ['failed', 'residue', 'lossy', 'irreversible', 'skipped', 'lossless'];

/** What a plan's result has for people. */
export interface Plan {
  readonly markdown: string;
}

/** Whether a command's result is the plan of a rollback. */
export function isPlan(value: unknown): value is Plan {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Plan>).markdown === 'string'
  );
}

/** Whether a command's result is that of a rehearsal. */
export function isResult(value: unknown): value is Result {
  return (
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as Partial<Result>).revisions)
  );
}

/** How grave the worst verdict is. */
export function severity(result: Result): 'error' | 'warning' | 'information' {
  const has = (verdict: string) => result.revisions.some((r) => r.verdict === verdict);
  if (has('failed') || has('residue')) return 'error';
  return has('lossy') ? 'warning' : 'information';
}

/** One sentence. */
export function headline(result: Result): string {
  const [only, ...others] = result.revisions;
  if (!only) return 'There was no revision to rehearse';
  if (others.length === 0) return `Round trip of ${only.revision}: ${outcome(only)}${on(result)}`;
  const counts = VERDICTS.map((verdict) => [verdict, count(result, verdict)] as const)
    .filter(([, number]) => number > 0)
    .map(([verdict, number]) => `${number} ${verdict}`);
  return `Round trips of ${result.revisions.length} revisions: ${counts.join(', ')}${on(result)}`;
}

function count(result: Result, verdict: string): number {
  return result.revisions.filter((revision) => revision.verdict === verdict).length;
}

function on(result: Result): string {
  const seconds = result.revisions.reduce((sum, revision) => sum + revision.seconds, 0);
  const { kind, version } = result.database;
  const where = `${DATABASES[kind] ?? kind} ${version}`;
  return ` (${duration(seconds)}, ${where}, ${result.rows} made-up rows a table)`;
}

function duration(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  const milliseconds = seconds * 1000;
  return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
}

function outcome(revision: Revision): string {
  if (revision.reason) return `${revision.verdict}: ${firstLine(revision.reason)}`;
  const step = revision.steps.find(({ error }) => error);
  if (step?.error) return `${revision.verdict}, ${step.name}: ${firstLine(step.error.message)}`;
  return revision.verdict;
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}

/** The whole of it, as plain text. */
export function details(result: Result): string {
  const worst = (revision: Revision) => VERDICTS.indexOf(revision.verdict);
  const sorted = [...result.revisions].sort((a, b) => worst(a) - worst(b));
  return [headline(result), ...sorted.map(section)].join('\n\n').concat('\n');
}

function section(revision: Revision): string {
  const steps = revision.steps.map((step) => `  ${step.name}: ${ofStep(step)}`);
  const losses = revision.losses.map((loss) => `  ${ofLoss(loss)}`);
  const residue = revision.residue.map((entry) => `  ${ofResidue(entry)}`);
  const reason = revision.reason ? [`  ${revision.reason}`] : [];
  const title = `${revision.revision}: ${revision.verdict}  ${revision.path}`;
  return [title, ...reason, ...steps, ...residue, ...losses].join('\n');
}

function ofStep(step: Step): string {
  const error = step.error;
  return error ? `${error.type}: ${error.message.trim()}` : duration(step.seconds);
}

function ofLoss(loss: Loss): string {
  const what = loss.column ? `values of ${loss.table}.${loss.column}` : `rows of ${loss.table}`;
  return `${loss.step} loses ${loss.lost} of ${loss.rows} ${what}`;
}

function ofResidue(entry: Residue): string {
  const words: Record<string, string> = { left: 'is left behind', missing: 'is missing' };
  const change =
    words[entry.change] ?? `is ${text(entry.after)} where it was ${text(entry.before)}`;
  return `${entry.kind} ${entry.object} ${change}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
