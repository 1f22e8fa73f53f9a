// Marks on their way to the server: each is sent until it is there, and says how it stands.

const REST = 350
const LONGEST = 20000
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? ''

export class Marks extends EventTarget {
  constructor (url) {
    super()
    this.url = url
    this.known = new Map() // id -> { mark, state, answer, message }
    this.timers = new Map()
  }

  /** A mark that the server already has. */
  learn (mark) {
    this.known.set(mark.id, { mark, state: 'saved', answer: mark })
    this.#tell()
  }

  /** A mark that was drawn or moved; sent when it rests. */
  put (mark) {
    const before = this.known.get(mark.id)
    if (before && JSON.stringify(before.mark.points) === JSON.stringify(mark.points) && before.state === 'saved') return
    this.known.set(mark.id, { mark: { ...before?.mark, ...mark }, state: 'waiting', answer: before?.answer })
    this.#later(mark.id, REST)
    this.#tell()
  }

  remove (id) {
    const entry = this.known.get(id)
    if (!entry) return
    entry.state = 'leaving'
    this.#later(id, 0)
    this.#tell()
  }

  get unsaved () { return [...this.known.values()].filter(({ state }) => state !== 'saved' && state !== 'refused').length }

  #later (id, pause) {
    clearTimeout(this.timers.get(id))
    this.timers.set(id, setTimeout(() => this.#send(id, pause), pause))
  }

  async #send (id, pause) {
    const entry = this.known.get(id)
    if (!entry) return
    const leaving = entry.state === 'leaving'
    const body = leaving ? { action: 'delete', id } : { action: 'save', ...entry.mark }
    const sent = JSON.stringify(body)
    let answer, data
    try {
      answer = await fetch(this.url, {
        method: 'POST', body: sent, credentials: 'same-origin', signal: AbortSignal.timeout(15000),
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': token() },
      })
      data = answer.headers.get('Content-Type')?.includes('json') ? await answer.json() : {}
    } catch {
      answer = null // no connection, or no answer in time
    }
    const now = this.known.get(id)
    if (now !== entry || (now.state === 'leaving') !== leaving) return
    if (!answer || answer.status >= 500 || answer.redirected) {
      now.state = leaving ? 'leaving' : 'not saved'
      this.#later(id, Math.min(Math.max(pause, 700) * 2, LONGEST))
    } else if (answer.ok) {
      this.#accepted(id, entry, leaving, data)
    } else {
      now.state = 'refused'
      now.message = data.detail ?? data.error ?? 'The server did not take this mark.'
    }
    this.#tell()
  }

  #accepted (id, entry, leaving, data) {
    if (leaving) {
      this.known.delete(id)
      this.dispatchEvent(new CustomEvent('gone', { detail: { id } }))
      return
    }
    entry.state = 'saved'
    entry.message = ''
    entry.answer = { ...entry.mark, ...data }
    this.dispatchEvent(new CustomEvent('saved', { detail: entry.answer }))
  }

  #tell () { this.dispatchEvent(new Event('change')) }
}
