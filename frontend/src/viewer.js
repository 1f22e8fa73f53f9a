// The reading page. The page is there at once, and what it shows is asked for at once; Cornerstone comes beside that.
import './css/viewer.css'
import { KEYS } from './viewer/keys.js'
import { millimetres } from './viewer/millimetres.js'
import './viewer/next.js'
import { PRESETS } from './viewer/presets.js'

const TOOLBAR = [
  ['window', 'Window', 'W'], ['pan', 'Pan', 'P'], ['zoom', 'Zoom', 'Z'], ['length', 'Length', 'L'], ['bidirectional', 'Two diameters', 'B'],
]
const SAID = { saved: 'Saved', waiting: 'Saving…', 'not saved': 'Not saved. Trying again' }

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) if (value !== false && value !== undefined) element.setAttribute(key, value === true ? '' : value)
  element.append(...children)
  return element
}
const button = (words, key, attributes) => make('button', { type: 'button', class: 'viewer-tool', title: key ? `${words} (${key})` : words, 'aria-keyshortcuts': key, ...attributes }, words, ...(key ? [make('kbd', { 'aria-hidden': 'true' }, key)] : []))
const asked = (url) => fetch(url, { headers: { Accept: 'application/json' }, credentials: 'same-origin' })

class Viewer extends HTMLElement {
  connectedCallback () {
    if (this.desk || this.opening) return
    this.opening = true
    this.#build()
    this.#open()
  }

  disconnectedCallback () {
    this.desk?.close()
    this.desk = null
    this.opening = false
    window.removeEventListener('beforeunload', this.leave)
    document.removeEventListener('click', this.outside)
  }

  async #open () {
    const early = new Map([...this.querySelectorAll('[data-view]')].map(({ dataset }) => [dataset.url, asked(dataset.url)]))
    for (const answer of early.values()) answer.catch(() => {}) // said below, where it is waited for
    try {
      const { Desk, understood } = await import('./viewer/desk.js')
      if (!this.isConnected) return
      this.desk = new Desk(this)
      this.leave = (event) => { if (this.desk?.marks.unsaved) event.preventDefault() }
      window.addEventListener('beforeunload', this.leave)
      const descriptions = new Map([...early].map(([url, answer]) => [url, understood(answer)]))
      for (const each of descriptions.values()) each.catch(() => {}) // said below as well
      await this.desk.open(descriptions)
    } catch (error) {
      this.#fail(error)
      if (!(error instanceof Error)) throw error
    }
  }

  #fail (error) {
    const box = make('p', { class: 'viewer-fault', role: 'alert' }, `${error.message || 'The images could not be shown.'} Load the page again; what you measured is kept.`)
    this.querySelector('.viewer-views')?.prepend(box)
  }

  // ---- building

  #build () {
    const two = Boolean(this.dataset.priorUrl)
    const bar = make('div', { class: 'viewer-bar', role: 'toolbar', 'aria-label': 'Tools' })
    const tools = make('div', { class: 'viewer-group' }, ...TOOLBAR.map(([tool, words, key]) => button(words, key, { 'data-tool': tool, 'aria-pressed': String(tool === 'window') })))
    const windows = make('div', { class: 'viewer-group', role: 'group', 'aria-label': 'Windows' }, ...PRESETS.map(({ key, name }) => button(name, key, { 'data-preset': key })), button('Header', '0', { 'data-preset': '0' }))
    const views = make('div', { class: 'viewer-group' })
    if (two) views.append(button('Linked', 'K', { 'data-link': true, 'aria-pressed': 'true' }), button('One view', 'V', { 'data-one': true, 'aria-pressed': 'false' }))
    views.append(button('Fit', 'R', { 'data-reset': true }), button('Hide marks', 'H', { 'data-marks': true, 'aria-pressed': 'false' }), button('Keys', '?', { 'data-keys': true }))
    bar.append(tools, windows, views)
    const pictures = make('div', { class: 'viewer-views' })
    if (two) pictures.append(this.#place('prior', this.dataset.priorUrl, this.dataset.priorName ?? 'Earlier', true))
    pictures.append(this.#place('current', this.dataset.seriesUrl, this.dataset.currentName ?? 'Current', this.hasAttribute('data-readonly')))
    pictures.classList.toggle('two', two)
    const foot = make('div', { class: 'viewer-foot' }, make('ul', { class: 'viewer-marks', 'aria-label': 'Marks' }), make('span', { class: 'viewer-saved', role: 'status' }))
    this.replaceChildren(bar, pictures, foot, this.#keys())
    this.#priors()
    this.addEventListener('click', (event) => this.#click(event))
    this.outside = (event) => this.#outside(event)
    document.addEventListener('click', this.outside)
    this.addEventListener('change', (event) => {
      const view = this.desk?.views.find((one) => one.place.contains(event.target))
      if (view && event.target.matches('.viewer-series')) this.desk.choose(view, event.target.value)
      if (view && event.target.matches('.viewer-prior')) this.desk.compare(view, event.target.value)
    })
  }

  #place (name, url, title, readonly) {
    return make('div', { class: 'viewer-place', 'data-view': name, 'data-url': url, 'data-readonly': readonly },
      make('div', { class: 'viewer-title' }, make('b', {}, title), make('span', { class: 'viewer-name' })),
      make('div', { class: 'viewport', tabindex: '0', role: 'application', 'aria-label': `${title}, images`, 'aria-describedby': `${name}-line` }),
      ...['up', 'left'].map((side) => make('span', { class: 'viewer-side', 'data-side': side, 'aria-hidden': 'true' })),
      make('div', { class: 'viewer-line', id: `${name}-line` }, make('span', { 'data-slice': true }), make('span', { 'data-voi': true }), make('span', { 'data-load': true }, 'Fetching images…')),
      make('progress', { class: 'viewer-load', max: '1', 'aria-label': 'Images fetched' }))
  }

  /** Where a case has several earlier time points, which one stands beside the one that is read. */
  #priors () {
    const choices = JSON.parse(this.dataset.priors ?? '[]')
    if (choices.length < 2) return
    const select = make('select', { class: 'viewer-prior', 'aria-label': 'Earlier time point' }, ...choices.map(([url, name]) => make('option', { value: url, selected: url === this.dataset.priorUrl }, name)))
    this.querySelector('[data-view="prior"] .viewer-title b').replaceChildren(select)
  }

  #keys () {
    const rows = KEYS.map(([key, words]) => make('tr', {}, make('th', { scope: 'row' }, ...key.split('   ').map((one) => make('kbd', {}, one))), make('td', {}, words)))
    const close = make('button', { type: 'button', class: 'button', 'data-keys-close': true }, 'Close')
    return make('dialog', { class: 'viewer-keys', 'aria-label': 'Keys of the reading desk' }, make('table', {}, make('tbody', {}, ...rows)), make('div', { class: 'buttons' }, close))
  }

  // ---- what the desk tells

  choices (view) {
    view.place.querySelector('.viewer-series')?.remove()
    if (view.choices.length < 2) return
    const select = make('select', { class: 'viewer-series', 'aria-label': 'Series' })
    for (const series of view.choices) select.append(make('option', { value: series.id }, series.name))
    view.place.querySelector('.viewer-title').append(select)
  }

  describe (view) {
    if (!view?.series) return
    const set = (name, words) => { view.place.querySelector(`[data-${name}]`).textContent = words }
    view.place.querySelector('.viewer-name').textContent = view.choices.length < 2 ? view.series.name : ''
    set('slice', `${view.index + 1} / ${view.count} · ${view.slice.depth.toFixed(1)} mm`)
    const { voi } = view
    set('voi', voi ? `W ${voi.width} L ${voi.centre}` : '')
    for (const side of view.place.querySelectorAll('.viewer-side')) side.textContent = view.series.sides[side.dataset.side]
    for (const item of this.querySelectorAll('.viewer-marks li')) item.classList.toggle('here', item.dataset.sop === view.slice.sop)
  }

  progress (place, done, total) {
    const bar = place.querySelector('progress')
    bar.max = total
    bar.value = done
    bar.hidden = done >= total
    place.querySelector('[data-load]').textContent = done >= total ? '' : `${done} of ${total} images`
  }

  pressed (name) {
    for (const one of this.querySelectorAll('[data-tool]')) one.setAttribute('aria-pressed', String(one.dataset.tool === name))
  }

  toggleLink () {
    const link = this.querySelector('[data-link]')
    if (!link) return
    this.desk.linked = !this.desk.linked
    if (this.desk.linked) this.desk.link()
    link.setAttribute('aria-pressed', String(this.desk.linked))
  }

  toggleOne () { this.#toggle('[data-one]', this.querySelector('.viewer-views'), 'one') }

  toggleMarks () { this.#toggle('[data-marks]', this, 'no-marks') }

  #toggle (selector, element, name) {
    const found = this.querySelector(selector)
    if (found) found.setAttribute('aria-pressed', String(element.classList.toggle(name)))
  }

  showKeys () { this.querySelector('.viewer-keys').showModal() }

  list (marks) {
    const shown = [...marks.known.values()].filter(({ state, mark }) => state !== 'leaving' && (!mark.locked || mark.side))
    this.querySelector('.viewer-marks').replaceChildren(...shown.map((entry) => this.#item(entry)))
    if (this.hasAttribute('data-readonly')) return
    const refused = shown.filter(({ state }) => state === 'refused').length
    const words = refused ? `${refused} refused` : marks.unsaved ? 'Saving…' : shown.length ? 'All marks saved' : ''
    const late = shown.some(({ state }) => state === 'not saved')
    const saved = this.querySelector('.viewer-saved')
    saved.textContent = late ? 'Not saved yet. Kept in this browser; trying again' : words
    saved.classList.toggle('late', late || refused > 0)
  }

  #item ({ mark, state, answer, message }) {
    const shown = state === 'saved' ? answer : mark
    const words = [shown.length_mm, shown.width_mm].filter((mm) => mm !== undefined && mm !== null).map(millimetres).join(' × ')
    const item = make('li', { 'data-sop': mark.sop, class: state.replace(' ', '-'), 'data-side': mark.side },
      make('button', { type: 'button', class: 'viewer-goto', 'data-viewer-goto': mark.id }, `${mark.lesion ? `${mark.lesion} · ` : ''}${words} mm`))
    if (!mark.locked) item.append(make('span', { class: 'viewer-said' }, SAID[state] ?? message))
    if (!this.hasAttribute('data-readonly') && !mark.locked) item.append(make('button', { type: 'button', class: 'viewer-remove', 'data-remove': mark.id, 'aria-label': `Remove ${words} mm` }, '×'))
    return item
  }

  #click (event) {
    const found = event.target.closest('button')
    if (!found || !this.desk) return
    const { dataset } = found
    if (dataset.tool) this.desk.use(dataset.tool)
    else if (dataset.preset) this.desk.preset(dataset.preset)
    else if (dataset.link !== undefined) this.toggleLink()
    else if (dataset.one !== undefined) this.toggleOne()
    else if (dataset.marks !== undefined) this.toggleMarks()
    else if (dataset.keys !== undefined) this.showKeys()
    else if (dataset.keysClose !== undefined) found.closest('dialog').close()
    else if (dataset.reset !== undefined) this.desk.active.reset()
    else if (dataset.remove) this.desk.remove(dataset.remove)
  }

  /** Buttons anywhere on the page show a mark, or choose the lesion of the next one. */
  #outside (event) {
    const go = event.target.closest('[data-viewer-goto]')
    const lesion = event.target.closest('[data-lesion-select]')
    if (go) this.desk?.goToMark(go.dataset.viewerGoto)
    if (!lesion || !this.desk) return
    this.desk.panel.choose(lesion.dataset.lesionSelect)
    for (const other of document.querySelectorAll('[data-lesion-select]')) other.setAttribute('aria-pressed', String(other === lesion))
    if (lesion.dataset.tool) this.desk.use(lesion.dataset.tool)
  }
}

customElements.define('edc-viewer', Viewer)
