// What the server does not have yet, kept in this browser under the person and the read; names nobody else, holds points only.

const person = () => document.querySelector('meta[name="person"]')?.content ?? ''

export class Kept {
  constructor (name) { this.name = `${name} ${person()}` }

  get all () {
    try {
      return JSON.parse(localStorage.getItem(this.name)) ?? {}
    } catch {
      return {} // no storage in this browser, or somebody wrote into it
    }
  }

  put (id, entry) { this.#write({ ...this.all, [id]: entry }) }

  drop (id) {
    const { [id]: _gone, ...rest } = this.all
    this.#write(rest)
  }

  #write (all) {
    try {
      if (Object.keys(all).length) localStorage.setItem(this.name, JSON.stringify(all))
      else localStorage.removeItem(this.name)
    } catch {
      // a browser without storage: the page still asks before it is left
    }
  }
}
