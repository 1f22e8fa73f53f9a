// Marks on their way to the server: each is sent until it is there, says how it stands, and outlives the browser.
import { headers } from './headers.js'
import { Kept } from './kept.js'

const REST = 350
const LONGEST = 20000
const AGAIN = [401, 403, 408, 429] // signed out or too busy: the mark is not wrong

export class Marks extends EventTarget {
  constructor (url) {
    super()
    this.url = url
    this.known = new Map() // id -> { mark, state, answer, message }
    this.gone = new Set() // ids that the server took away since the page was opened
    this.timers = new Map()
    this.kept = new Kept(`hilum-marks ${url}`)
  }

  /** A mark that the server already has. */
  learn (mark) {
    this.known.set(mark.id, { mark, state: 'saved', answer: mark })
    this.#tell()
  }

  /** A mark that was drawn or moved; a moved one is sent when it rests. */
  put (mark) {
    const before = this.known.get(mark.id)
    const same = before && JSON.stringify(before.mark.points) === JSON.stringify(mark.points)
    if (same && before.state !== 'leaving') return // drawn again where it was: it is there, on its way, or refused as it is
    const entry = { mark: { ...before?.mark, ...mark }, state: 'waiting', answer: before?.answer }
    this.known.set(mark.id, entry)
    this.kept.put(mark.id, { mark: entry.mark })
    this.#later(mark.id, before ? REST : 0)
    this.#tell()
  }

  remove (id) {
    const entry = this.known.get(id)
    if (!entry) return
    entry.state = 'leaving'
    this.kept.put(id, { mark: entry.mark, leaving: true })
    this.#later(id, 0)
    this.#tell()
  }

  /** What an earlier window of this browser could not bring to the server any more; `draw` shows a mark, where its series is shown. */
  recover (draw) {
    for (const [id, { mark, leaving }] of Object.entries(this.kept.all)) {
      if (leaving) {
        if (!this.known.has(id)) this.known.set(id, { mark, state: 'leaving', answer: mark })
        this.remove(id)
      } else {
        draw(mark)
        this.put(mark)
      }
    }
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
        headers: { ...headers(), 'Content-Type': 'application/json' },
      })
      data = answer.headers.get('Content-Type')?.includes('json') ? await answer.json() : {}
    } catch {
      answer = null // no connection, or no answer in time
    }
    const now = this.known.get(id)
    if (now !== entry || (now.state === 'leaving') !== leaving) return
    if (!answer || answer.status >= 500 || AGAIN.includes(answer.status) || answer.redirected) {
      now.state = leaving ? 'leaving' : 'not saved'
      this.#later(id, Math.min(Math.max(pause, 700) * 2, LONGEST))
    } else if (answer.ok) {
      this.#accepted(id, entry, leaving, data)
    } else {
      this.kept.drop(id)
      now.state = 'refused'
      now.message = data.detail ?? data.error ?? 'The server did not take this mark.'
    }
    this.#tell()
  }

  #accepted (id, entry, leaving, data) {
    this.kept.drop(id)
    if (leaving) {
      this.known.delete(id)
      this.gone.add(id)
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
