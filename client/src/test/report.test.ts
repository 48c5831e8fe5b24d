import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  details,
  headline,
  isPlan,
  isResult,
  type Result,
  type Revision,
  severity,
} from '../report.ts';

const revision = (changes: Partial<Revision>): Revision => ({
  revision: 'ae10',
  path: 'versions/ae10_😋.py',
  verdict: 'lossless',
  seconds: 0.4,
  steps: [{ name: 'upgrade', seconds: 0.1, error: null }],
  residue: [],
  losses: [],
  reason: null,
  ...changes,
});
const result = (...revisions: Revision[]): Result => ({
  database: { kind: 'sqlite', version: '3.45' },
  rows: 100,
  revisions,
});

const failed = revision({
  revision: 'bf21',
  verdict: 'failed',
  steps: [
    { name: 'upgrade', seconds: 0.1, error: null },
    {
      name: 'downgrade',
      seconds: 0.2,
      error: { type: 'OperationalError', message: 'no such index\nSQL' },
    },
  ],
});

test('one revision is told with its verdict, time, database and rows', () => {
  assert.equal(
    headline(result(revision({}))),
    'Round trip of ae10: lossless (400 ms, SQLite 3.45, 100 made-up rows a table)',
  );
});

test('a failure is told with the step and the first line of its error', () => {
  assert.match(
    headline(result(failed)),
    /^Round trip of bf21: failed, downgrade: no such index \(/,
  );
});

test('many revisions are counted by verdict, the worst first', () => {
  assert.match(
    headline(result(revision({}), failed, revision({}))),
    /^Round trips of 3 revisions: 1 failed, 2 lossless \(1\.2 s/,
  );
});

test('no revision at all is said', () => {
  assert.equal(headline(result()), 'There was no revision to rehearse');
});

test('a reason is told', () => {
  const reason = '`upgrade()` fails after the downgrade: no such index';
  assert.match(headline(result({ ...failed, reason })), /bf21: failed: `upgrade\(\)` fails after/);
  const skipped = revision({ verdict: 'skipped', reason: 'its table is made by create_all()' });
  assert.match(headline(result(skipped)), /skipped: its table is made by create_all\(\)/);
});

test('the message is as grave as the worst verdict', () => {
  assert.equal(severity(result(revision({}), failed)), 'error');
  assert.equal(severity(result(revision({ verdict: 'lossy' }), revision({}))), 'warning');
  assert.equal(severity(result(revision({ verdict: 'irreversible' }))), 'information');
});

test('details name every step, residue and loss, the worst revision first', () => {
  const lossy = revision({
    verdict: 'residue',
    residue: [
      { kind: 'table', object: 'tag', change: 'left', before: null, after: 'tag' },
      {
        kind: 'column',
        object: 'user.name',
        change: 'changed',
        before: 'TEXT',
        after: { type: 'INTEGER' },
      },
    ],
    losses: [
      { table: 'user', column: 'name', lost: 40, rows: 100, step: 'round trip' },
      { table: 'tag', column: null, lost: 3, rows: 3, step: 'downgrade' },
    ],
  });
  const text = details(result(revision({ revision: 'c0' }), lossy, failed));
  assert.ok(text.indexOf('bf21: failed') < text.indexOf('ae10: residue'));
  assert.ok(text.indexOf('ae10: residue') < text.indexOf('c0: lossless'));
  assert.match(text, /versions\/ae10_😋\.py/);
  assert.match(text, /downgrade: OperationalError: no such index\nSQL/);
  assert.match(text, /table tag is left behind/);
  assert.match(text, /column user\.name is \{"type":"INTEGER"\} where it was TEXT/);
  assert.match(text, /round trip loses 40 of 100 values of user\.name/);
  assert.match(text, /downgrade loses 3 of 3 rows of tag/);
});

test('what is no result of a rehearsal is not taken for one', () => {
  for (const other of [null, undefined, 'text', {}, { revisions: 3 }])
    assert.equal(isResult(other), false);
  assert.equal(isResult(result()), true);
});

test('a plan is told from the result of a rehearsal', () => {
  assert.ok(isPlan({ markdown: '# Rollback plan', revisions: [] }));
  for (const other of [null, undefined, 7, {}, { markdown: 1 }, result()]) {
    assert.ok(!isPlan(other));
  }
});
