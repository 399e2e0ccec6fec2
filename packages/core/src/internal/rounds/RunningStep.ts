/** A running once-step, and the number of asks that wait inside it. */
export class RunningStep {
  readonly parent: RunningStep | undefined
  readonly id: string
  waiting = 0

  constructor(parent: RunningStep | undefined, id: string) {
    this.parent = parent
    this.id = id
  }

  isInside(step: RunningStep): boolean {
    return this === step || this.parent?.isInside(step) === true
  }
}

export const addWaiting = (inner: RunningStep | undefined, count: number): void => {
  for (let step = inner; step !== undefined; step = step.parent) step.waiting += count
}
