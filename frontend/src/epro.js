// The questionnaire on a patient's phone: one question at a time, kept safe on the device until it is sent.
import './css/epro.css'
import { forget, keep, recall } from './epro/safe.js'

const WORDS = {
  of: '{n} of {total}', back: 'Back', next: 'Next', skip: 'I would rather not answer', review: 'Check your answers', change: 'Change', send: 'Send',
  notAnswered: 'Not answered', sending: 'Sending…', thanks: 'Thank you. Your answers have arrived.', offline: 'No connection. You can go on.',
  waiting: 'Your answers are safe on this device. They are sent when there is a connection: please open this page again then.',
  refused: 'Your answers could not be taken. Please tell your study team.', language: 'Language',
}

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) if (value !== false && value !== undefined) element.setAttribute(key, value === true ? '' : value)
  element.append(...children)
  return element
}

class Questionnaire extends HTMLElement {
  async connectedCallback () {
    if (this.form) return
    this.form = JSON.parse(this.querySelector('script[type="application/json"]').textContent)
    this.secret = this.dataset.secret ?? location.hash.slice(1)
    this.place = 0
    this.answers = {}
    this.language = this.form.languages.find(({ code }) => code === this.dataset.language) ?? this.form.languages[0]
    const kept = await recall(this.form.key, this.secret)
    if (kept) Object.assign(this, { answers: kept.answers, place: kept.place, sendKey: kept.sendKey, queued: kept.queued })
    this.sendKey ??= crypto.randomUUID()
    this.startedAt = kept?.startedAt ?? new Date().toISOString()
    for (const event of ['online', 'offline']) window.addEventListener(event, () => this.#network())
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.#network() })
    if (this.queued) this.#send()
    else this.#draw()
  }

  get items () { return this.language.items }

  word (name, data = {}) {
    const text = this.language.words?.[name] ?? WORDS[name]
    return text.replace(/\{(\w+)\}/g, (_, key) => data[key])
  }

  #keep () {
    return keep(this.form.key, this.secret, { answers: this.answers, place: this.place, sendKey: this.sendKey, startedAt: this.startedAt, queued: this.queued })
  }

  #network () {
    if (this.queued) this.#send()
    else if (!this.done) this.#draw(false)
  }

  // ---- screens

  #draw (focus = true) {
    document.documentElement.lang = this.language.code
    document.documentElement.dir = this.language.dir ?? 'ltr'
    const screen = this.place < this.items.length ? this.#question() : this.#review()
    this.replaceChildren(this.#top(), ...screen)
    if (focus && this.moved) this.querySelector('h1')?.focus()
  }

  #top () {
    const top = make('div', { class: 'q-top' })
    if (this.form.languages.length > 1) {
      const select = make('select', { 'aria-label': this.word('language') })
      for (const { code, name } of this.form.languages) select.append(make('option', { value: code, selected: code === this.language.code }, name))
      select.addEventListener('change', () => {
        this.language = this.form.languages.find(({ code }) => code === select.value)
        this.#draw(false)
        this.querySelector('select').focus()
      })
      top.append(select)
    }
    if (!navigator.onLine) top.append(make('p', { class: 'q-offline', role: 'status' }, this.word('offline')))
    return top
  }

  #question () {
    const item = this.items[this.place]
    const total = this.items.length
    const options = item.options ?? this.language.options
    const group = make('div', { class: 'q-options', role: 'radiogroup', 'aria-labelledby': 'q-text' })
    for (const { value, text } of options) {
      const input = make('input', { type: 'radio', name: 'answer', value })
      input.checked = this.answers[item.id] === value
      group.append(make('label', {}, input, make('span', {}, text)))
    }
    group.addEventListener('change', (event) => {
      this.answers[item.id] = options.find(({ value }) => String(value) === event.target.value).value
      this.#keep()
    })
    const skip = make('button', { type: 'button', class: 'q-skip' }, this.word('skip'))
    skip.addEventListener('click', () => { this.answers[item.id] = null; this.#go(1) })
    return [
      make('progress', { max: total, value: this.place + 1, 'aria-hidden': 'true' }),
      make('p', { class: 'q-count' }, this.word('of', { n: this.place + 1, total })),
      make('h1', { id: 'q-text', tabindex: '-1' }, item.text), group,
      this.#buttons(this.place > 0, 'next', () => { if (item.id in this.answers) this.#go(1); else group.querySelector('input').focus() }), skip,
    ]
  }

  #review () {
    const list = make('dl', { class: 'q-review' })
    this.items.forEach((item, index) => {
      const options = item.options ?? this.language.options
      const chosen = options.find(({ value }) => value === this.answers[item.id])
      const change = make('button', { type: 'button', class: 'q-change', 'aria-label': `${this.word('change')}: ${item.text}` }, this.word('change'))
      change.addEventListener('click', () => { this.place = index; this.returning = true; this.moved = true; this.#draw() })
      list.append(make('div', {}, make('dt', {}, item.text), make('dd', {}, chosen?.text ?? this.word('notAnswered')), change))
    })
    return [make('h1', { tabindex: '-1' }, this.word('review')), list, this.#buttons(true, 'send', () => this.#send())]
  }

  #buttons (back, forward, action) {
    const box = make('div', { class: 'q-buttons' })
    if (back) {
      const button = make('button', { type: 'button', class: 'q-back' }, this.word('back'))
      button.addEventListener('click', () => this.#go(-1))
      box.append(button)
    }
    const button = make('button', { type: 'button', class: 'q-next' }, this.word(forward))
    button.addEventListener('click', action)
    box.append(button)
    return box
  }

  #go (step) {
    this.place = this.returning && step > 0 ? this.items.length : Math.max(0, this.place + step)
    this.returning = false
    this.moved = true
    this.#keep()
    this.#draw()
  }

  // ---- sending

  /** Sent once: the key tells the server when the same answers come a second time. */
  async #send () {
    if (this.sending || this.done) return
    this.sending = true
    this.queued = true
    await this.#keep()
    this.#tell('sending')
    try {
      const answer = await fetch(this.dataset.sendUrl, {
        method: 'POST', credentials: 'same-origin', signal: AbortSignal.timeout(20000),
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': document.querySelector('meta[name="csrf-token"]')?.content ?? '' },
        body: JSON.stringify({ key: this.sendKey, answers: this.answers, language: this.language.code, version: this.form.version, started_at: this.startedAt, finished_at: new Date().toISOString() }),
      })
      if (answer.ok) await this.#arrived()
      else if (answer.status < 500) this.#tell('refused')
      else this.#wait()
    } catch {
      this.#wait() // no connection, or no answer in time: the answers stay on the device
    } finally {
      this.sending = false
    }
  }

  async #arrived () {
    this.done = true
    this.queued = false
    await forget(this.form.key)
    this.#tell('thanks')
  }

  #wait () {
    this.#tell('waiting')
    clearTimeout(this.again)
    this.again = setTimeout(() => this.#send(), 15000)
  }

  #tell (word) {
    const line = make('h1', { tabindex: '-1', role: 'status', class: `q-said ${word}` }, this.word(word))
    this.replaceChildren(line)
    if (word !== 'sending') line.focus()
  }
}

customElements.define('edc-questionnaire', Questionnaire)
