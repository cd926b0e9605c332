/** Where SQLite's native addon comes from in this process. */

let binding: (() => object) | undefined

/** Takes the addon's exports from `load`, called once on the first opening, instead of searching the disk for its file. */
export function useNativeBinding(load: () => object): void {
  let loaded: object | undefined
  binding = () => {
    loaded ??= load()
    return loaded
  }
}

/** The exports of the addon to use, or undefined where better-sqlite3 finds its own. */
export function nativeBinding(): object | undefined {
  return binding?.()
}
