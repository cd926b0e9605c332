import type { TaskDefaults } from '../../job.ts'
import type { Store } from './store.ts'

/** What workers have published of their tasks, by name. */
export const publishedTasks = (store: Store): TaskDefaults[] =>
  store
    .read(() =>
      store.sql<{ defaults: string }>('SELECT defaults FROM jobq_tasks WHERE defaults IS NOT NULL ORDER BY name').all(),
    )
    .map((row) => JSON.parse(row.defaults) as TaskDefaults)
