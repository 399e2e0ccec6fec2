/** A step that runs, and how much waits inside of it. */
export class RunningStep {
  readonly parent: RunningStep | undefined
  waiting = 0
  /** Something inside of it was refused because the run had ended: what it comes to now is no result. */
  isCut = false

  constructor(parent: RunningStep | undefined) {
    this.parent = parent
  }
}

export const addWaiting = (inner: RunningStep | undefined, count: number): void => {
  for (let step = inner; step !== undefined; step = step.parent) step.waiting += count
}

export const cut = (inner: RunningStep | undefined): void => {
  for (let step = inner; step !== undefined; step = step.parent) step.isCut = true
}
