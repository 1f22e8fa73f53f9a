// What is typed and not saved is kept on the server for the same person, sealed, in case the session or the computer ends first.
// After the session has ended the page's ticket still lets it be kept; nothing is ever stored in the browser.
import { token } from '../token.js'
import { partsOf } from './row.js'
import { sayState } from './state.js'

const PAUSE = 5000
const LONGEST = 20000

/** Parts of a row as the draft holds them; several chosen codes as one text. */
function typedIn (row) {
  const parts = {}
  for (const [name, value] of partsOf(row)) if (name !== 'item' && value) parts[name] = parts[name] ? `${parts[name]},${value}` : value
  return parts
}

export class Drafts {
  constructor (form) {
    this.form = form
    this.sent = form.querySelector('[data-proposal][data-origin="draft"]') ? null : '{}'
  }

  /** Everything typed that the server has not taken, and what stands offered from an earlier time. */
  get items () {
    const items = {}
    for (const row of this.form.rows) {
      const offered = row.querySelector('[data-proposal][data-origin="draft"]')
      if (this.form.isUnsaved(row)) items[row.dataset.item] = typedIn(row)
      else if (offered) items[row.dataset.item] = JSON.parse(offered.dataset.proposal)
    }
    return JSON.stringify(items)
  }

  /** Something changed: keep it when the person pauses. */
  touch () {
    if (!this.form.dataset.draftUrl || (this.sent === '{}' && !this.form.unsaved)) return
    this.since ??= Date.now()
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.keep(), Math.max(0, Math.min(PAUSE, this.since + LONGEST - Date.now())))
  }

  /** Whether the server holds all that is typed here. */
  get holdsAll () { return this.sent !== null && this.sent === this.items }

  /** Send what is not saved now, if the server does not have just that. */
  async keep (keepalive = false) {
    clearTimeout(this.timer)
    this.since = undefined
    const items = this.items
    const ended = this.form.stuck === 'signed-out'
    if (!this.form.dataset.draftUrl || items === this.sent || (this.form.stuck && !ended)) return
    try {
      const answer = await (ended ? this.#after(items, keepalive) : this.#now(items, keepalive))
      if (answer.ok) this.sent = items
    } catch {
      this.touch() // no connection: what is typed stays in the page, and the form says so
    }
    if (ended) sayState(this.form)
  }

  #now (items, keepalive) {
    return fetch(this.form.dataset.draftUrl, {
      method: 'POST',
      body: new URLSearchParams({ items }),
      headers: { 'X-CSRFToken': token(), Accept: 'application/json' },
      credentials: 'same-origin',
      redirect: 'error',
      keepalive,
    })
  }

  /** Without the cookies: they may be a colleague's by now. */
  #after (items, keepalive) {
    return fetch(this.form.dataset.afterUrl, {
      method: 'POST',
      body: new URLSearchParams({ items, ticket: this.form.dataset.ticket }),
      headers: { Accept: 'application/json' },
      credentials: 'omit',
      redirect: 'error',
      keepalive,
    })
  }

  /** The person does not want what was offered. */
  discard () {
    for (const offered of this.form.querySelectorAll('[data-proposal][data-origin="draft"]')) offered.remove()
    this.form.querySelector('[data-drafted]')?.remove()
    this.sent = null
    return this.keep()
  }
}
