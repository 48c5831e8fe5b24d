/**
 * Runs a task one at a time.
 *
 * A request while the task runs makes it run once more afterwards, however many requests come: each
 * run starts from what is true then, so the ones in between would be wasted.
 */
export class Queue {
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(private readonly task: () => Promise<void>) {}

  /** Resolves when a run that began after this call has ended. */
  request(): Promise<void> {
    if (!this.running) {
      this.running = this.task().finally(() => {
        this.running = undefined;
      });
      return this.running;
    }
    this.next ??= this.afterwards(this.running);
    return this.next;
  }

  private async afterwards(run: Promise<void>): Promise<void> {
    // Whoever asked for that run hears of its failure; this one must happen all the same.
    await run.catch(() => undefined);
    this.next = undefined;
    await this.request();
  }
}
