// The configuration that puts the steps of this folder into the worker: `cd examples/steps && jobq steps`.
import { defineConfig } from 'jobq'
import { backlogAutoscaler } from './backlog-autoscaler.ts'
import { deadlockDetector } from './deadlock-detector.ts'
import { health } from './health.ts'

export default defineConfig({
  tasks: '../tasks',
  steps: [health, deadlockDetector, backlogAutoscaler],
})
