// A form that saves field by field. The server decides everything; this element carries values and says how things stand.
import htmx, { sentenceOf, showDialog, token } from '../htmx.js'
import { renewToken } from '../token.js'
import { Company } from './company.js'
import { Drafts } from './drafts.js'
import { fieldKey, pageKey } from './keys.js'
import { leaveBlank, showEarlier } from './many.js'
import { Panel } from './panel.js'
import { goTo, isChoice, looksOf, partsOf, putBack, rowIn, snapshot } from './row.js'
import { sayState } from './state.js'

const REST = 800
const SLOW = 300
const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 30000
const GIVE_UP = 15000
const PATIENCE = 1500

/** A number for one save: sent again with it, the server does the same thing once. */
const newNumber = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

class Form extends HTMLElement {
  connectedCallback () {
    if (this.ready) return
    this.ready = true
    this.waiting = new Map() // row id -> { row, extra, snapshot }
    this.kept = new Map() // row id -> the snapshot that the server has
    this.rest = new Map() // row id -> timer of a choice that may still change
    this.open = new Map() // row id -> what the server did not take, and why: { now, conflict, refused, sentence }
    this.unheard = new Map() // row id -> numbers of saves that may have arrived, though no answer did
    this.busy = null // the request on its way
    this.inVain = false // the last request got no answer
    this.pause = FIRST_PAUSE
    this.signal = new AbortController()
    const listen = (target, type, handler, capture = false) => target.addEventListener(type, handler, { capture, signal: this.signal.signal })
    for (const row of this.rows) this.#keep(row)
    listen(this, 'input', (event) => this.#typed(event))
    listen(this, 'change', (event) => this.#changed(event))
    listen(this, 'focusin', (event) => this.#entered(event))
    listen(this, 'focusout', (event) => this.#left(event))
    listen(this, 'keydown', (event) => fieldKey(this, event))
    listen(this, 'click', (event) => this.#clicked(event), true)
    listen(document, 'keydown', (event) => pageKey(this, event))
    listen(document, 'submit', (event) => this.#submitted(event))
    listen(document, 'click', (event) => this.#clickedOutside(event))
    listen(this, 'htmx:finally:request', (event) => this.#finished(event))
    listen(window, 'online', () => this.#again())
    listen(window, 'beforeunload', (event) => { if (this.unsaved && !this.keptForLater) event.preventDefault() })
    listen(window, 'pagehide', () => this.drafts.keep(true))
    this.panel = new Panel(this)
    this.drafts = new Drafts(this)
    this.company = new Company(this)
    this.#countProblems()
  }

  disconnectedCallback () {
    this.signal.abort()
    clearTimeout(this.retry)
    this.company.stop()
  }

  get rows () { return [...this.querySelectorAll('[data-item]')] }

  /** Whether the page holds anything that the server has not taken: typed, resting, queued, on its way, refused. */
  get unsaved () {
    return Boolean(this.waiting.size || this.busy || this.asking || this.rest.size || this.open.size || this.querySelector('[data-item].changed'))
  }

  /** Whether the session has ended and the server keeps all of it for the same person: nothing is lost by leaving. */
  get keptForLater () { return this.stuck === 'signed-out' && this.drafts.holdsAll }

  /** Whether a row holds anything that the server has not taken. */
  isUnsaved (row) {
    return this.waiting.has(row.id) || this.rest.has(row.id) || this.open.has(row.id) || this.sending?.row === row.id || row.matches('.changed')
  }

  // ---- noticing changes

  #keep (row) { this.kept.set(row.id, snapshot(row)) }

  differs (row) { return this.kept.get(row.id) !== snapshot(row) }

  #typed (event) {
    const row = event.target.closest('[data-item]')
    if (!row || !event.target.dataset.part) return
    row.classList.toggle('changed', this.differs(row))
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
    row.classList.toggle('changed', this.differs(row))
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
    if (row) this.panel.follow(row)
  }

  // ---- saving

  /** Queue a row; `extra` holds a confirmation or a reason. Nothing is sent when nothing changed. */
  save (row, extra = {}) {
    const now = snapshot(row)
    const underWay = this.sending?.row === row.id ? this.sending.now : null
    if (!Object.keys(extra).length && !this.waiting.has(row.id)) {
      if (now === underWay) return
      if (underWay === null && !this.open.has(row.id) && now === this.kept.get(row.id)) {
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
    for (const row of this.rows) if (this.differs(row) && this.open.get(row.id)?.now !== snapshot(row)) this.save(row)
    while (this.busy || this.waiting.size) {
      if (this.stuck || this.asking) return false
      await (this.busy ?? new Promise((resolve) => setTimeout(resolve, 50)))
    }
    return !this.asking && !this.open.size
  }

  /** Save a row now; resolves when the server has answered for it, or cannot for the moment. */
  async answered (row) {
    if (this.rest.has(row.id)) this.#rested(row)
    else this.save(row)
    const end = Date.now() + PATIENCE
    while (this.busy && Date.now() < end) await Promise.race([this.busy, new Promise((resolve) => setTimeout(resolve, end - Date.now()))])
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
    if (this.open.get(row.id)?.conflict) body.set('confirm', 'conflict') // told of a colleague's value: replacing it asks why
    for (const [name, value] of Object.entries(job.extra)) body.set(name, value)
    if (this.unheard.has(row.id)) body.set('again', this.unheard.get(row.id).join(','))
    const sent = snapshot(row)
    if (job.now !== sent) job.number = null // typed on since it was sent in vain
    job.now = sent
    job.number ??= newNumber()
    let answer, text
    try {
      answer = await fetch(this.dataset.saveUrl, {
        method: 'POST',
        body: new URLSearchParams(body),
        headers: { 'X-CSRFToken': token(), 'X-Request-ID': job.number, 'HX-Request': 'true', Accept: 'text/html' },
        credentials: 'same-origin',
        signal: AbortSignal.timeout(GIVE_UP),
      })
      text = await answer.text()
    } catch {
      this.#later(job, 'network') // no connection, or no answer in time
      return
    }
    // a 403 with a sentence of ours is a refusal; one without comes from where nobody is known any more
    const unknown = answer.status === 403 && !text.includes('role="alert"')
    if (answer.redirected || answer.status === 401 || unknown) this.#later(job, 'signed-out')
    else if (answer.status >= 500 || answer.status === 429) this.#later(job, 'server')
    else await this.#answered(answer.status, text, row, sent, job)
  }

  #later (job, why) {
    const numbers = this.unheard.get(job.row) ?? []
    if (why !== 'signed-out' && !numbers.includes(job.number)) this.unheard.set(job.row, [...numbers, job.number])
    if (!this.waiting.has(job.row)) this.waiting.set(job.row, job)
    this.stuck = why
    this.inVain = true
    this.#waitLonger()
  }

  async #answered (status, text, row, sent, job) {
    this.pause = FIRST_PAUSE
    this.inVain = false
    this.unheard.delete(row.id)
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
    const offers = this.#offers(row)
    await htmx.swap({ text, target: row, swap: 'outerMorph', sourceElement: this })
    offers()
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
    this.company.moved(this.version)
    this.kept.set(row.id, typedOn ? sent : snapshot(row))
    if (typedOn && !row.contains(document.activeElement)) this.save(row)
    for (const other of this.rows) if (!this.kept.has(other.id)) this.#keep(other)
    this.dispatchEvent(new CustomEvent('edc:saved', { bubbles: true, detail: { item: row.dataset.item } }))
  }

  get version () { return Number(this.querySelector('[data-form-version]')?.value ?? 0) }

  /** What stands offered beside other rows outlives an answer that draws those rows anew. */
  #offers (except) {
    const offered = this.rows.filter((row) => row !== except).map((row) => [row.id, row.querySelector('[data-proposal]')]).filter(([, box]) => box)
    return () => {
      for (const [id, box] of offered) {
        const row = document.getElementById(id)
        if (row && !row.querySelector('[data-proposal]')) row.querySelector('.messages, .lab-message > td[id]')?.append(box)
      }
    }
  }

  // ---- rows that came without being saved

  /** Draw a row as the server sent it. */
  async replace (row, text) {
    await htmx.swap({ text, target: row, swap: 'outerMorph', sourceElement: this })
    const now = document.getElementById(row.id)
    if (!now) return
    putBack(now)
    now.classList.remove('changed')
    this.#keep(now)
  }

  /** The list of problems and the count of answers. */
  async swapped ({ problems, progress }) {
    await htmx.swap({ text: problems, target: '#problems', swap: 'innerHTML', sourceElement: this })
    await htmx.swap({ text: progress, target: '#form-progress', swap: 'innerHTML', sourceElement: this })
  }

  /** Many rows at once, after something that this person asked for. */
  async received (answer) {
    this.company.moved(answer.version)
    await this.swapped(answer)
    for (const [item, text] of Object.entries(answer.rows)) {
      const row = this.querySelector(`[data-item="${CSS.escape(item)}"]`)
      const next = rowIn(text)
      const offered = next?.querySelector('[data-proposal]')
      if (row && next && !this.isUnsaved(row) && (offered || looksOf(row) !== looksOf(next))) await this.replace(row, text)
    }
    this.#countProblems()
  }

  /** A line under a field, for what its person should know. */
  tell (row, words) {
    const place = row.querySelector('.messages, .lab-message > td[id]')
    if (!place || place.textContent.includes(words)) return
    const line = document.createElement('div')
    line.className = 'message info'
    const text = document.createElement('p')
    text.textContent = words
    line.append(text)
    place.append(line)
  }

  /** Take what is offered beside a field, and save it. */
  take (row) {
    const offered = row.querySelector('[data-proposal]')
    if (!offered) return false
    const { proposal, origin, source } = offered.dataset
    offered.remove()
    putBack(row, proposal)
    this.save(row, origin === 'earlier' ? { earlier: source } : {})
    return true
  }

  signedOut () {
    this.stuck = 'signed-out'
    this.#waitLonger()
    this.#say()
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
    if (row && event.target.closest('[data-take]')) {
      if (this.take(row)) goTo(row)
    }
    const pick = event.target.closest('[data-pick]')
    if (row && pick) {
      putBack(row, JSON.stringify({ value: pick.dataset.pick }))
      goTo(row)
      this.save(row)
    }
    if (event.target.closest('[data-earlier]')) showEarlier(this)
    if (event.target.closest('[data-discard]')) this.drafts.discard()
    const complete = event.target.closest('[data-complete]')
    if (complete && this.unsaved && !this.flushed) {
      event.preventDefault()
      event.stopImmediatePropagation()
      this.complete(complete)
    }
  }

  #submitted (event) {
    if (!event.target.matches('form[data-rest]')) return
    event.preventDefault()
    const chosen = new URLSearchParams(new FormData(event.target))
    event.target.closest('dialog').close('save')
    leaveBlank(this, chosen)
  }

  /** Buttons of the panel belong to a row of this form. */
  #clickedOutside (event) {
    const button = event.target.closest('[data-missing][data-for], [data-confirm][data-for]')
    if (!button) return
    const row = this.querySelector(`[data-item="${CSS.escape(button.dataset.for)}"]`)
    if (!row) return
    if (button.dataset.confirm) this.save(row, { confirm: button.dataset.confirm })
    else this.save(row, { value: '', missing: button.dataset.missing })
    goTo(row)
  }

  /** A form that could not be marked complete: into the first field that is in the way. */
  #finished (event) {
    if (event.target.closest?.('[data-complete]')) goTo(this.rows.find((row) => row.matches('.stop') && !row.hidden))
  }

  /** A form is marked complete when the server holds all of it; else the person is taken to what is in the way. */
  async complete (button) {
    if (!await this.flush()) {
      const [id] = this.open.keys()
      if (id && !this.asking) goTo(document.getElementById(id))
      return
    }
    this.flushed = true
    button.click()
    this.flushed = false
  }

  // ---- saying how things stand

  #countProblems () {
    const count = this.rows.filter((row) => row.matches('.stop')).length
    const bare = document.title.replace(/^\d+ to correct · /, '')
    document.title = count ? `${count} to correct · ${bare}` : bare
  }

  #say () {
    this.drafts?.touch()
    sayState(this)
  }
}

customElements.define('edc-form', Form)
