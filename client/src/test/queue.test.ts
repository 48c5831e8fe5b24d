import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue } from '../queue.ts';

/** A task whose runs end when told to. */
function task() {
  const runs: { end: () => void; fail: (error: Error) => void }[] = [];
  let most = 0;
  let running = 0;
  const run = () => {
    most = Math.max(most, ++running);
    return new Promise<void>((end, fail) => runs.push({ end, fail })).finally(() => running--);
  };
  return { run, runs, most: () => most };
}

const turn = () => new Promise((done) => setImmediate(done));

test('requests during a run make one more run, not one each', async () => {
  const { run, runs, most } = task();
  const queue = new Queue(run);
  const all = [queue.request(), queue.request(), queue.request(), queue.request()];
  runs[0]?.end();
  await turn();
  assert.equal(runs.length, 2);
  runs[1]?.end();
  await Promise.all(all);
  assert.equal(runs.length, 2);
  assert.equal(most(), 1);
});

test('a request resolves only after a run that began later than it', async () => {
  const { run, runs } = task();
  const queue = new Queue(run);
  void queue.request();
  let done = false;
  const second = queue.request().then(() => {
    done = true;
  });
  runs[0]?.end();
  await turn();
  assert.equal(done, false);
  runs[1]?.end();
  await second;
});

test('a request during the second run makes a third', async () => {
  const { run, runs } = task();
  const queue = new Queue(run);
  const first = queue.request();
  const second = queue.request();
  runs[0]?.end();
  await first;
  await turn();
  const third = queue.request();
  runs[1]?.end();
  await second;
  await turn();
  runs[2]?.end();
  await third;
  assert.equal(runs.length, 3);
});

test('a failed run is told to who asked for it and does not stop the next', async () => {
  const { run, runs } = task();
  const queue = new Queue(run);
  const first = queue.request();
  const second = queue.request();
  runs[0]?.fail(new Error('no server'));
  await assert.rejects(first, /no server/);
  await turn();
  runs[1]?.end();
  await second;
});
