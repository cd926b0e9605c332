/** The platform that this machine's runtime is installed for, such as `linux-x64`. */
export const hostPlatform: string
/** Installs packages and this machine's runtime when they are missing; returns the path of the runtime. */
export function setup(): string
/** Installs the runtime of a platform, of its pinned version or another one, when it is missing; returns its path. */
export function setupRuntime(platform: string, version?: string): string
/** The path of the license of a platform's runtime, with those of all that Node bundles; installs it when it is missing. */
export function setupRuntimeLicense(platform: string): string
/** The exact Node version that is pinned for a platform, such as `24.21.0`. */
export function runtimeVersion(platform: string): string
