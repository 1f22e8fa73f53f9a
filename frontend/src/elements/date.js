// A date field that reads what people type and says back what it understood.
import { echoDate, readDate, readTime, showDate } from '../dates.js'

function todayHere () {
  const now = new Date()
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, '0')}-${String(now.getDate()).padStart(2, '0')}`
}

class DateField extends HTMLElement {
  connectedCallback () {
    if (this.ready) return
    this.ready = true
    this.input = this.querySelector('input:not([type="hidden"])')
    if (!this.input) return
    this.input.placeholder ||= 'dd Mmm yyyy'
    this.input.autocomplete = 'off'
    this.#takeName()
    this.addEventListener('change', () => this.settle(), true)
    this.input.addEventListener('input', () => this.#echo())
    this.input.addEventListener('blur', () => this.#echo())
    this.settle()
  }

  /** In a plain form the ISO date travels under the field's name, and the typed text does not. */
  #takeName () {
    if (!this.input.name) return
    this.hiddenInput = this.querySelector('input[type="hidden"]') ?? document.createElement('input')
    this.hiddenInput.type = 'hidden'
    this.hiddenInput.name = this.input.name
    this.input.removeAttribute('name')
    if (!this.hiddenInput.isConnected) this.append(this.hiddenInput)
    this.hiddenInput.value = this.iso
  }

  /** Made anew where a row that the server drew again took it away. */
  #makeEcho () {
    if (this.echo?.isConnected) return
    this.echo = this.querySelector('[data-echo]') ?? document.createElement('span')
    this.echo.dataset.echo = ''
    this.echo.classList.add('side')
    this.echo.id ||= `${this.input.id || 'date'}-echo`
    if (!this.echo.isConnected) this.append(this.echo)
    const described = new Set((this.input.getAttribute('aria-describedby') ?? '').split(' ').filter(Boolean))
    this.input.setAttribute('aria-describedby', [...described.add(this.echo.id)].join(' '))
  }

  get timeInput () { return this.querySelectorAll('input:not([type="hidden"])')[1] ?? null }

  get read () { return readDate(this.input.value, this.closest('[data-today]')?.dataset.today || todayHere()) }

  /** What is posted: ISO where the text was understood, else the text itself, so that the server can say what is wrong. */
  get iso () {
    const { iso } = this.read
    if (!iso) return this.input.value.trim()
    if (!this.hasAttribute('data-time')) return iso
    const time = this.timeInput?.value.trim() ?? ''
    return time ? `${iso}T${readTime(time) || time}` : iso
  }

  settle () {
    const { iso } = this.read
    if (iso) this.input.value = showDate(iso)
    if (this.timeInput) this.timeInput.value = readTime(this.timeInput.value) || this.timeInput.value
    if (this.hiddenInput) this.hiddenInput.value = this.iso
    this.#echo()
  }

  #echo () {
    this.#makeEcho()
    const { iso, error } = this.read
    const partial = iso && iso.length < 10 && !this.hasAttribute('data-partial')
    const wrong = error ?? (partial ? 'A full date is needed: day, month and year.' : '')
    const busy = document.activeElement === this.input && error
    if (busy) this.echo.textContent = ''
    else if (iso && document.activeElement === this.input && !wrong) this.echo.textContent = `${showDate(iso)} · ${echoDate(iso, this.closest('[data-day1]')?.dataset.day1)}`
    else this.echo.textContent = wrong || (iso ? echoDate(iso, this.closest('[data-day1]')?.dataset.day1) : '')
    this.echo.classList.toggle('wrong', Boolean(wrong) && !busy)
    if (wrong && !busy) this.input.setAttribute('aria-invalid', 'true')
    else this.input.removeAttribute('aria-invalid')
    if (this.hiddenInput) this.hiddenInput.value = this.iso
  }
}

customElements.define('edc-date', DateField)
