import path from 'node:path'
import type { TaskProblem, TaskSummary } from './task-summary.ts'

/** The names of those tasks that a mistake costs: their file, or a folder above it, is a problem now. One that was deleted is not lost. */
export const lostTasks = (tasks: readonly TaskSummary[], problems: readonly TaskProblem[]): string[] =>
  tasks
    .filter(({ file }) => problems.some((problem) => file === problem.file || file.startsWith(problem.file + path.sep)))
    .map(({ name }) => name)
