// The reading page. The page is there at once; Cornerstone comes when the element is in it.
import './css/viewer.css'
import { PRESETS } from './viewer/presets.js'

const TOOLBAR = [
  ['window', 'Window', 'W'], ['pan', 'Pan', 'P'], ['zoom', 'Zoom', 'Z'], ['length', 'Length', 'L'], ['bidirectional', 'Two diameters', 'B'],
]

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) if (value !== false && value !== undefined) element.setAttribute(key, value === true ? '' : value)
  element.append(...children)
  return element
}

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

  /** The lesion that a new mark belongs to. */
  get lesion () { return this.dataset.lesion ?? '' }

  async #open () {
    const { Desk } = await import('./viewer/desk.js')
    if (!this.isConnected) return
    this.desk = new Desk(this)
    this.leave = (event) => { if (this.desk?.marks.unsaved) event.preventDefault() }
    window.addEventListener('beforeunload', this.leave)
    try {
      await this.desk.open()
    } catch (error) {
      this.#fail(error)
      if (!(error instanceof Error)) throw error
    }
  }

  #fail (error) {
    const box = make('p', { class: 'viewer-fault', role: 'alert' }, `${error.message || 'The images could not be shown.'} Load the page again; what you measured is kept.`)
    this.querySelector('.viewer-views').prepend(box)
  }

  // ---- building

  #build () {
    const bar = make('div', { class: 'viewer-bar', role: 'toolbar', 'aria-label': 'Tools' })
    for (const [tool, words, key] of TOOLBAR) bar.append(make('button', { type: 'button', class: 'viewer-tool', 'data-tool': tool, 'aria-pressed': String(tool === 'window'), 'aria-keyshortcuts': key, title: `${words} (${key})` }, words))
    const windows = make('select', { class: 'viewer-preset', 'aria-label': 'Window' }, make('option', { value: '' }, 'Window…'), make('option', { value: '0' }, 'As in the header (0)'))
    for (const { key, name } of PRESETS) windows.append(make('option', { value: key }, `${name} (${key})`))
    bar.append(windows)
    if (this.dataset.priorUrl) bar.append(make('button', { type: 'button', class: 'viewer-tool', 'data-link': true, 'aria-pressed': 'true', title: 'Linked scrolling (K)' }, 'Linked'))
    bar.append(make('button', { type: 'button', class: 'viewer-tool', 'data-reset': true, title: 'Fit to the window (R)' }, 'Fit'))
    const views = make('div', { class: 'viewer-views' })
    if (this.dataset.priorUrl) views.append(this.#place('prior', this.dataset.priorUrl, this.dataset.priorName ?? 'Earlier', true))
    views.append(this.#place('current', this.dataset.seriesUrl, this.dataset.currentName ?? 'Current', this.hasAttribute('data-readonly')))
    views.classList.toggle('two', Boolean(this.dataset.priorUrl))
    this.replaceChildren(bar, views, make('ul', { class: 'viewer-marks', 'aria-label': 'Marks' }), make('p', { class: 'viewer-help' }, 'Wheel or arrows: slice · Page Up, Page Down: ten slices · Shift + arrows: window · Ctrl + arrows: pan · + and −: zoom · 0 to 4: windows · L, B: measure, with Enter by keyboard'))
    this.addEventListener('click', (event) => this.#click(event))
    this.outside = (event) => this.#outside(event)
    document.addEventListener('click', this.outside)
    windows.addEventListener('change', () => { if (windows.value) this.desk?.preset(windows.value); windows.value = '' })
    this.addEventListener('change', (event) => {
      const view = this.desk?.views.find((one) => one.place.contains(event.target))
      if (view && event.target.matches('.viewer-series')) this.desk.choose(view, event.target.value)
    })
  }

  #place (name, url, title, readonly) {
    return make('div', { class: 'viewer-place', 'data-view': name, 'data-url': url, 'data-readonly': readonly },
      make('div', { class: 'viewer-title' }, make('b', {}, title), make('span', { class: 'viewer-name' })),
      make('div', { class: 'viewport', tabindex: '0', role: 'application', 'aria-label': `${title}, images`, 'aria-describedby': `${name}-line` }),
      make('div', { class: 'viewer-line', id: `${name}-line` }, make('span', { 'data-slice': true }), make('span', { 'data-voi': true }), make('span', { 'data-load': true }, 'Fetching images…')),
      make('progress', { class: 'viewer-load', max: '1', 'aria-label': 'Images fetched' }))
  }

  // ---- what the desk tells

  choices (view) {
    if (view.choices.length < 2) return
    const select = make('select', { class: 'viewer-series', 'aria-label': 'Series' })
    for (const series of view.choices) select.append(make('option', { value: series.id }, series.name))
    view.place.querySelector('.viewer-title').append(select)
  }

  describe (view) {
    if (!view?.series) return
    const set = (name, words) => { view.place.querySelector(`[data-${name}]`).textContent = words }
    if (view.choices.length < 2) view.place.querySelector('.viewer-name').textContent = view.series.name
    set('slice', `${view.index + 1} / ${view.count} · ${view.slice.depth.toFixed(1)} mm`)
    const { voi } = view
    set('voi', voi ? `W ${voi.width} L ${voi.centre}` : '')
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
    for (const button of this.querySelectorAll('[data-tool]')) button.setAttribute('aria-pressed', String(button.dataset.tool === name))
  }

  toggleLink () {
    const button = this.querySelector('[data-link]')
    if (!button) return
    this.desk.linked = !this.desk.linked
    if (this.desk.linked) this.desk.link()
    button.setAttribute('aria-pressed', String(this.desk.linked))
  }

  list (marks) {
    const items = [...marks.known.values()].filter(({ state }) => state !== 'leaving').map((entry) => this.#item(entry))
    this.querySelector('.viewer-marks').replaceChildren(...items)
  }

  #item ({ mark, state, answer, message }) {
    const shown = state === 'saved' ? answer : mark
    const words = [shown.length_mm, shown.width_mm].filter((mm) => mm !== undefined && mm !== null).map((mm) => Number(mm).toFixed(1)).join(' × ')
    const said = { saved: 'Saved', waiting: 'Saving…', 'not saved': 'Not saved. Trying again', refused: message }[state]
    const item = make('li', { 'data-sop': mark.sop, class: state.replace(' ', '-') },
      make('button', { type: 'button', class: 'viewer-goto', 'data-viewer-goto': mark.id }, `${mark.lesion ? `${mark.lesion} · ` : ''}${words} mm`),
      make('span', { class: 'viewer-said' }, said))
    if (!this.hasAttribute('data-readonly') && !mark.locked) item.append(make('button', { type: 'button', class: 'viewer-remove', 'data-remove': mark.id, 'aria-label': `Remove ${words} mm` }, '×'))
    return item
  }

  #click (event) {
    const button = event.target.closest('button')
    if (!button || !this.desk) return
    if (button.dataset.tool) this.desk.use(button.dataset.tool)
    else if (button.dataset.link !== undefined) this.toggleLink()
    else if (button.dataset.reset !== undefined) this.desk.active.reset()
    else if (button.dataset.remove) this.desk.remove(button.dataset.remove)
  }

  /** Buttons anywhere on the page show a mark, or choose the lesion of the next one. */
  #outside (event) {
    const go = event.target.closest('[data-viewer-goto]')
    const lesion = event.target.closest('[data-lesion-select]')
    if (go) this.desk?.goToMark(go.dataset.viewerGoto)
    if (!lesion) return
    this.dataset.lesion = lesion.dataset.lesionSelect
    for (const other of document.querySelectorAll('[data-lesion-select]')) other.setAttribute('aria-pressed', String(other === lesion))
    if (lesion.dataset.tool) this.desk?.use(lesion.dataset.tool)
  }
}

customElements.define('edc-viewer', Viewer)
