import { type WorkerStep, workerStep } from '../components.ts'
import type { ResolvedOptions } from '../options.ts'
import { TaskTable } from '../task-table.ts'

/** What the tasks that the children have loaded say of themselves. */
export const tasksStep = (options: ResolvedOptions): WorkerStep =>
  workerStep({
    name: 'tasks',
    requires: ['broker'],
    start: ({ broker }) => new TaskTable(broker, options.config, options),
    info: (tasks) => ({ names: tasks.names, problems: tasks.problems }),
  })
