// A form that saves field by field. The server decides everything; this element carries values and says how things stand.
import htmx, { sentenceOf, showDialog, token } from '../htmx.js'
import { renewToken } from '../token.js'
import { clock, focusable, goTo, isChoice, partsOf, putBack, snapshot } from './row.js'

const REST = 800
const SLOW = 300
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30000
const GIVE_UP = 15000

class Form extends HTMLElement {
  connectedCallback () {
    if (this.ready) return
    this.ready = true
    this.waiting = new Map() // row id -> { row, extra, snapshot }
    this.kept = new Map() // row id -> the snapshot that the server has
    this.rest = new Map() // row id -> timer of a choice that may still change
    this.open = new Map() // row id -> what the server did not take, and why: { now, conflict, refused, sentence }
    this.busy = null // the request on its way
    this.pause = FIRST_PAUSE
    this.signal = new AbortController()
    const listen = (target, type, handler, capture = false) => target.addEventListener(type, handler, { capture, signal: this.signal.signal })
    for (const row of this.rows) this.#keep(row)
    listen(this, 'input', (event) => this.#typed(event))
    listen(this, 'change', (event) => this.#changed(event))
    listen(this, 'focusin', (event) => this.#entered(event))
    listen(this, 'focusout', (event) => this.#left(event))
    listen(this, 'keydown', (event) => this.#key(event))
    listen(this, 'click', (event) => this.#clicked(event), true)
    listen(document, 'keydown', (event) => this.#pageKey(event))
    listen(document, 'click', (event) => this.#clickedOutside(event))
    listen(window, 'online', () => this.#again())
    listen(window, 'beforeunload', (event) => { if (this.unsaved) event.preventDefault() })
    this.#countProblems()
  }

  disconnectedCallback () {
    this.signal.abort()
    clearTimeout(this.retry)
  }

  get rows () { return [...this.querySelectorAll('[data-item]')] }

  /** Whether the page holds anything that the server has not taken: typed, resting, queued, on its way, refused. */
  get unsaved () {
    return Boolean(this.waiting.size || this.busy || this.asking || this.rest.size || this.open.size || this.querySelector('[data-item].changed'))
  }

  // ---- noticing changes

  #keep (row) { this.kept.set(row.id, snapshot(row)) }

  #differs (row) { return this.kept.get(row.id) !== snapshot(row) }

  #typed (event) {
    const row = event.target.closest('[data-item]')
    if (!row || !event.target.dataset.part) return
    row.classList.toggle('changed', this.#differs(row))
    this.#say()
  }

  #changed (event) {
    const control = event.target
    const row = control.closest('[data-item]')
    if (!row || !control.dataset.part) return
    if (!isChoice(control)) {
      queueMicrotask(() => this.save(row))
      return
    }
    row.classList.toggle('changed', this.#differs(row))
    clearTimeout(this.rest.get(row.id))
    this.rest.set(row.id, setTimeout(() => this.#rested(row), REST))
    this.#say()
  }

  #rested (row) {
    clearTimeout(this.rest.get(row.id))
    this.rest.delete(row.id)
    this.save(row)
  }

  #left (event) {
    const row = event.target.closest?.('[data-item]')
    if (!row || row.contains(event.relatedTarget)) return
    const underWay = this.waiting.has(row.id) || this.sending?.row === row.id || this.asking === row.id
    if (this.rest.has(row.id)) this.#rested(row)
    else if (row.matches('.changed') && !underWay) queueMicrotask(() => this.save(row))
  }

  #entered (event) {
    const row = event.target.closest('[data-item]')
    if (!row || row === this.panelRow || !row.dataset.panelUrl || !this.dataset.panel) return
    this.panelRow = row
    clearTimeout(this.panelTimer)
    this.panelTimer = setTimeout(() => this.#loadPanel(row.dataset.panelUrl), 200)
  }

  #loadPanel (url) {
    const target = document.querySelector(this.dataset.panel)
    if (target) return htmx.ajax('GET', url, { source: target, target, swap: 'innerHTML' })
    return null
  }

  // ---- saving

  /** Queue a row; `extra` holds a confirmation or a reason. Nothing is sent when nothing changed. */
  save (row, extra = {}) {
    const now = snapshot(row)
    if (!Object.keys(extra).length && !this.waiting.has(row.id) && !this.open.has(row.id)) {
      const known = this.sending?.row === row.id ? this.sending.now : this.kept.get(row.id)
      if (known === now) {
        row.classList.remove('changed')
        this.#say()
        return
      }
    }
    this.waiting.set(row.id, { row: row.id, extra, now })
    this.#work()
  }

  /** Everything that is still resting or typed goes out now; resolves when the server has it all. */
  async flush () {
    for (const id of [...this.rest.keys()]) this.#rested(document.getElementById(id))
    for (const row of this.rows) if (this.#differs(row) && this.open.get(row.id)?.now !== snapshot(row)) this.save(row)
    while (this.busy || this.waiting.size) {
      if (this.stuck || this.asking) return false
      await (this.busy ?? new Promise((resolve) => setTimeout(resolve, 50)))
    }
    return !this.asking && !this.open.size
  }

  async #again () {
    clearTimeout(this.retry)
    if (this.stuck === 'signed-out' && !await renewToken().catch(() => false)) {
      this.#waitLonger()
      return
    }
    this.stuck = false
    this.#work()
  }

  #waitLonger () {
    clearTimeout(this.retry)
    this.retry = setTimeout(() => this.#again(), this.pause)
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE)
  }

  #work () {
    const [id, job] = this.waiting.entries().next().value ?? []
    if (!id || this.busy || this.stuck || this.asking) {
      this.#say()
      return
    }
    this.waiting.delete(id)
    this.sending = job
    const slow = setTimeout(() => {
      this.slow = true
      this.#say()
    }, SLOW)
    this.busy = this.#send(job).finally(() => {
      clearTimeout(slow)
      this.busy = this.sending = null
      this.slow = false
      this.#work()
    })
    this.#say()
  }

  async #send (job) {
    const row = document.getElementById(job.row)
    if (!row) return
    const body = partsOf(row)
    body.set('expected', row.dataset.expected ?? '')
    for (const [name, value] of Object.entries(job.extra)) body.set(name, value)
    const sent = snapshot(row)
    job.now = sent
    let answer, text
    try {
      answer = await fetch(this.dataset.saveUrl, {
        method: 'POST',
        body: new URLSearchParams(body),
        headers: { 'X-CSRFToken': token(), 'HX-Request': 'true', Accept: 'text/html' },
        credentials: 'same-origin',
        signal: AbortSignal.timeout(GIVE_UP),
      })
      text = await answer.text()
    } catch {
      this.#later(job, 'network') // no connection, or no answer in time
      return
    }
    if (answer.redirected || answer.status === 401 || answer.status === 403) this.#later(job, 'signed-out')
    else if (answer.status >= 500 || answer.status === 429) this.#later(job, 'server')
    else await this.#answered(answer.status, text, row, sent, job)
  }

  #later (job, why) {
    if (!this.waiting.has(job.row)) this.waiting.set(job.row, job)
    this.stuck = why
    this.#waitLonger()
  }

  async #answered (status, text, row, sent, job) {
    this.pause = FIRST_PAUSE
    if (status === 428) {
      this.#ask(text, row, job)
      return
    }
    if (![200, 409, 422].includes(status)) {
      this.open.set(row.id, { refused: true, now: sent, sentence: sentenceOf(text, status) })
      return
    }
    if (status === 200) this.open.delete(row.id)
    else this.open.set(row.id, { conflict: status === 409, refused: status === 422, now: sent })
    const typedOn = snapshot(row) !== sent
    const live = typedOn ? partsOf(row) : null
    await htmx.swap({ text, target: row, swap: 'outerMorph', sourceElement: this })
    const now = document.getElementById(row.id)
    if (!now) return
    putBack(now, typedOn ? live : null, document.activeElement)
    now.classList.toggle('changed', typedOn)
    this.#swappedElsewhere(text)
    if (status === 200) this.#saved(now, sent, typedOn)
    this.#countProblems()
  }

  /** Rows that the answer brought along: what the server says is what they hold, save where someone is typing. */
  #swappedElsewhere (text) {
    for (const [, id] of text.matchAll(/hx-target="#(row-[^"]+)"/g)) {
      const row = document.getElementById(id)
      if (!row || this.waiting.has(id) || this.rest.has(id) || row.contains(document.activeElement)) continue
      putBack(row)
      row.classList.remove('changed')
      this.#keep(row)
    }
  }

  #saved (row, sent, typedOn) {
    this.savedAt = new Date()
    this.kept.set(row.id, typedOn ? sent : snapshot(row))
    if (typedOn && !row.contains(document.activeElement)) this.save(row)
    for (const other of this.rows) if (!this.kept.has(other.id)) this.#keep(other)
    this.dispatchEvent(new CustomEvent('edc:saved', { bubbles: true, detail: { item: row.dataset.item } }))
  }

  // ---- a reason, a conflict

  async #ask (text, row, job) {
    const back = document.activeElement
    this.asking = row.id // nothing else is sent until the question is answered: there is one dialog
    await showDialog(text, this)
    const box = document.querySelector('#dialogs edc-dialog')
    const form = box?.querySelector('form')
    if (!form) {
      this.asking = null
      this.#later(job, 'server')
      this.#say()
      return
    }
    let given = null
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      given = Object.fromEntries(new FormData(form))
      box.dialog.close('save')
    })
    box.addEventListener('edc:closed', () => {
      this.asking = null
      const now = document.getElementById(row.id)
      if (given) this.save(now, { ...job.extra, ...given })
      else this.restore(now)
      if (given && back?.isConnected) back.focus()
      else goTo(now)
      this.#work()
    }, { once: true })
    this.#say()
  }

  /** Put the saved value back into a row. */
  restore (row) {
    this.waiting.delete(row.id)
    clearTimeout(this.rest.get(row.id))
    this.rest.delete(row.id)
    putBack(row, row.dataset.expected)
    row.classList.remove('changed')
    this.#keep(row)
    this.open.delete(row.id)
    this.#say()
  }

  #clicked (event) {
    const confirm = event.target.closest('[data-confirm]')
    const use = event.target.closest('[data-use]')
    const row = event.target.closest('[data-item]')
    if (confirm && row) this.save(row, { confirm: confirm.dataset.confirm })
    if (use && row) {
      if (use.dataset.use === 'stored') {
        this.restore(row)
        use.closest('.message').remove()
        goTo(row)
      } else this.save(row, { confirm: 'conflict' })
    }
    const complete = event.target.closest('[data-complete]')
    if (complete && this.unsaved && !this.flushed) {
      event.preventDefault()
      event.stopImmediatePropagation()
      this.#complete(complete)
    }
  }

  /** Buttons of the panel belong to a row of this form. */
  #clickedOutside (event) {
    const button = event.target.closest('[data-missing][data-for], [data-confirm][data-for]')
    if (!button) return
    const row = this.querySelector(`[data-item="${CSS.escape(button.dataset.for)}"]`)
    if (!row) return
    if (button.dataset.confirm) this.save(row, { confirm: button.dataset.confirm })
    else this.save(row, { value: '', missing: button.dataset.missing })
  }

  /** A form is marked complete when the server holds all of it; else the person is taken to what is in the way. */
  async #complete (button) {
    if (!await this.flush()) {
      const [id] = this.open.keys()
      if (id && !this.asking) goTo(document.getElementById(id))
      return
    }
    this.flushed = true
    button.click()
    this.flushed = false
  }

  // ---- keys

  #key (event) {
    if (event.defaultPrevented || event.isComposing) return
    const control = event.target
    const row = control.closest('[data-item]')
    if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey && control.matches('input, select')) {
      event.preventDefault()
      this.#next(control, event.shiftKey ? -1 : 1)
    } else if (event.key === 'Escape' && row && this.#differs(row)) {
      event.preventDefault()
      this.restore(row)
    } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && control.matches('.lab input:not([type="radio"])')) {
      event.preventDefault()
      this.#inColumn(control, event.key === 'ArrowDown' ? 1 : -1)
    } else if (/^[1-9]$/.test(event.key) && control.type === 'radio' && !event.ctrlKey && !event.altKey && !event.metaKey) {
      this.#choose(control, Number(event.key), event)
    }
  }

  #choose (control, number, event) {
    const radios = [...this.querySelectorAll(`input[type="radio"][name="${CSS.escape(control.name)}"]`)]
    const chosen = radios[number - 1]
    if (!chosen) return
    event.preventDefault()
    chosen.checked = true
    chosen.focus()
    chosen.dispatchEvent(new Event('change', { bubbles: true }))
  }

  #next (control, step) {
    const stops = focusable(this)
    const own = control.type === 'radio' ? stops.findIndex((stop) => stop.name === control.name) : stops.indexOf(control)
    const next = stops[own + step]
    if (next) {
      next.focus()
      next.select?.()
    } else if (step > 0) this.querySelector('[data-complete]')?.focus()
  }

  #inColumn (control, step) {
    const column = [...this.querySelectorAll(`.lab input[data-part="${control.dataset.part}"]`)]
    const next = column[column.indexOf(control) + step]
    next?.focus()
    next?.select?.()
  }

  #pageKey (event) {
    if (event.defaultPrevented || document.querySelector('dialog[open]')) return
    const ctrl = event.ctrlKey || event.metaKey
    if (event.key === 'F8') {
      event.preventDefault()
      this.#problem(event.shiftKey ? -1 : 1)
    } else if (event.key === 'F9') {
      event.preventDefault()
      this.#toPanel()
    } else if (ctrl && event.key.toLowerCase() === 's') {
      event.preventDefault()
      this.flush()
    } else if (ctrl && event.key === 'Enter') {
      const button = this.querySelector('[data-complete]')
      if (button) {
        event.preventDefault()
        this.#complete(button)
      }
    }
  }

  #problem (step) {
    const rows = this.rows.filter((row) => row.matches('.stop, .check') && !row.hidden)
    if (!rows.length) return
    const here = document.activeElement?.closest?.('[data-item]')
    const own = rows.indexOf(here)
    const after = rows.findIndex((row) => here && here.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING)
    const place = own >= 0 ? own + step : step > 0 ? Math.max(after, 0) : (after < 0 ? rows.length : after) - 1
    goTo(rows[(place + rows.length) % rows.length])
  }

  #toPanel () {
    const panel = this.dataset.panel && document.querySelector(this.dataset.panel)
    panel?.querySelector('a[href], button, textarea, input, select')?.focus()
  }

  // ---- saying how things stand

  #countProblems () {
    const count = this.rows.filter((row) => row.matches('.stop')).length
    const bare = document.title.replace(/^\d+ to correct · /, '')
    document.title = count ? `${count} to correct · ${bare}` : bare
  }

  #say () {
    const count = this.waiting.size
    const changes = `${count} change${count === 1 ? '' : 's'}`
    const open = [...this.open.values()]
    const refused = open.filter((one) => one.refused)
    if (this.asking) this.#state('attention', 'Waiting for a reason')
    else if (this.stuck === 'signed-out') this.#state('stop', `Not saved: ${changes}. You are signed out. Sign in again in another tab; what you typed stays here.`)
    else if (this.stuck) this.#state('attention', `Not saved: ${changes}. Trying again`)
    else if (refused.length < open.length) this.#state('stop', 'Someone else changed this')
    else if (refused.length > 1) this.#state('stop', `${refused.length} fields were not accepted`)
    else if (refused.length) this.#state('stop', refused[0].sentence ?? '1 field was not accepted')
    else if (this.slow) this.#state('info', 'Saving…')
    else if (this.unsaved) this.#state('', 'Not saved yet')
    else if (this.savedAt) this.#state('ok', 'All changes saved', clock(this.savedAt))
    else this.#state('', '')
  }

  #state (tone, words, time = '') {
    const line = this.querySelector('.save-state')
    const whole = [words, time].filter(Boolean).join(' ')
    if (!line || line.textContent === whole) return
    line.className = `save-state ${tone}`
    line.textContent = words
    if (!time) return
    const stamp = document.createElement('time')
    stamp.textContent = time
    line.append(' ', stamp)
  }
}

customElements.define('edc-form', Form)
