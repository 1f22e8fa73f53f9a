// Others in the same form: who is there, and what they saved. A look costs the server one statement; nothing is said when nothing is new.
import { looksOf, rowIn } from './row.js'

const ALONE = 15000
const TOGETHER = 4000

export class Company {
  constructor (form) {
    this.form = form
    this.seen = Number(form.dataset.version ?? 0)
    this.others = ''
    if (form.dataset.liveUrl) this.#later(TOGETHER)
  }

  stop () {
    clearTimeout(this.timer)
    this.over = true
  }

  #later (pause = this.others ? TOGETHER : ALONE) {
    clearTimeout(this.timer)
    if (!this.over) this.timer = setTimeout(() => this.look(), pause)
  }

  /** Our own save moved the version by one; by more, somebody else saved too, and the next look brings it. */
  moved (version) {
    if (version === this.seen + 1) this.seen = version
    else if (version > this.seen) this.#later(0)
  }

  async look () {
    if (document.hidden || this.form.busy || this.form.stuck) {
      this.#later()
      return
    }
    const before = this.seen
    const asked = new URLSearchParams({ seen: before, with: this.others })
    try {
      const answer = await fetch(`${this.form.dataset.liveUrl}?${asked}`, { headers: { 'X-By-Itself': '1', Accept: 'application/json' }, credentials: 'same-origin' })
      if (answer.redirected || answer.status === 401 || answer.status === 403) this.form.signedOut()
      else if (answer.status === 200 && before === this.seen) this.#hear(await answer.json())
    } catch {
      // no connection: the form says so as soon as there is something to save
    }
    this.#later()
  }

  #hear ({ version, others, rows, problems, progress }) {
    this.others = others
    const line = this.form.querySelector('.company')
    if (line) line.textContent = others ? `${others} ${others.includes(', ') ? 'have' : 'has'} this form open too` : ''
    if (!rows || this.form.busy) return
    this.seen = version
    this.form.swapped({ problems, progress })
    for (const [item, text] of Object.entries(rows)) this.#row(item, text)
  }

  #row (item, text) {
    const row = this.form.querySelector(`[data-item="${CSS.escape(item)}"]`)
    const next = rowIn(text)
    if (!row || !next || looksOf(row) === looksOf(next)) return
    if (!this.form.isUnsaved(row) && !row.contains(document.activeElement)) {
      this.form.replace(row, text)
      document.getElementById(next.id)?.classList.add('just-changed')
    } else if (row.dataset.expected !== next.dataset.expected) this.form.tell(row, `${this.others || 'Somebody else'} changed this field just now. What you type is not overwritten; you decide when you leave the field.`)
  }
}
