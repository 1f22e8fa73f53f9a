// The keys of a form: everything that entry needs, without the mouse. What a key means depends on the field that has the focus.
import { focusable, goTo } from './row.js'

const plain = (event) => !event.ctrlKey && !event.altKey && !event.metaKey

const wordsOf = (option) => (option.tagName === 'OPTION' ? option.label : option.closest('label')?.textContent ?? '').trim()

/**
 * The option that a digit means: the one whose code or label begins with it where any does ("1" is grade 1, whatever its
 * place), else the one at that place.
 */
export function optionOf (options, digit) {
  const numbered = options.map((option) => /^\d+(?!\d)/.exec(/^\d+$/.test(option.value) ? option.value : wordsOf(option))?.[0])
  if (numbered.some(Boolean)) return numbered.filter((number) => number === digit).length === 1 ? options[numbered.indexOf(digit)] : undefined
  return options[Number(digit) - 1]
}

/** The only option whose label begins with a letter. */
const lettered = (options, letter) => {
  const found = options.filter((option) => wordsOf(option).toLowerCase().startsWith(letter.toLowerCase()))
  return found.length === 1 ? found[0] : undefined
}

const optionsOf = (form, control) => control.tagName === 'SELECT'
  ? [...control.options].filter((option) => option.value)
  : [...form.querySelectorAll(`input[type="${control.type}"][name="${CSS.escape(control.name)}"]`)]

const isChosenFrom = (control) => control.dataset.part === 'value' && (control.tagName === 'SELECT' || control.type === 'radio' || control.type === 'checkbox')

function choose (form, control, event) {
  if (control.disabled) return
  const options = optionsOf(form, control)
  const chosen = /^\d$/.test(event.key) ? optionOf(options, event.key) : control.type === 'radio' ? lettered(options, event.key) : undefined
  if (!chosen) return
  event.preventDefault()
  if (chosen.tagName === 'OPTION') control.value = chosen.value
  else {
    chosen.checked = control.type === 'radio' || !chosen.checked
    chosen.focus()
  }
  const changed = chosen.tagName === 'OPTION' ? control : chosen
  changed.dispatchEvent(new Event('change', { bubbles: true }))
}

/** No option is chosen any more; an optional list goes back to its empty line. */
function unchoose (form, control, event) {
  if (control.disabled) return
  event.preventDefault()
  const chosen = control.tagName === 'SELECT' ? [control].filter((select) => select.value) : optionsOf(form, control).filter((option) => option.checked)
  for (const each of chosen) {
    if (each.tagName === 'SELECT') each.value = ''
    else each.checked = false
  }
  chosen[0]?.dispatchEvent(new Event('change', { bubbles: true }))
}

/** The next unit of a number; sent with the value when the field is left. */
function nextUnit (control, event) {
  const units = control.closest('[data-item]').querySelector('select[data-part="unit"]:not(:disabled)')
  if (!units) return
  event.preventDefault()
  units.selectedIndex = (units.selectedIndex + 1) % units.options.length
  control.dispatchEvent(new Event('input', { bubbles: true }))
}

function inColumn (form, control, step) {
  const column = [...form.querySelectorAll(`.lab input[data-part="${control.dataset.part}"]`)]
  const next = column[column.indexOf(control) + step]
  next?.focus()
  next?.select?.()
}

/**
 * The field after this one (or before), or the button at the end. From value to value: units and limits are passed over,
 * Tab goes through them.
 */
function step (form, control, by) {
  const all = focusable(form)
  const stops = control.dataset.part === 'value' ? all.filter((stop) => stop.dataset.part === 'value') : all
  const own = control.type === 'radio' || control.type === 'checkbox' ? stops.findIndex((stop) => stop.name === control.name) : stops.indexOf(control)
  const next = stops[own + by]
  if (next) {
    next.focus()
    next.select?.()
  } else if (by > 0) form.querySelector('[data-complete]')?.focus()
}

/**
 * Go on from an answer that decides which fields come next, when the server has said which. What is typed until then
 * goes where the focus then is.
 */
async function onward (form, control, row, by) {
  const typed = []
  const hold = (event) => {
    if (!plain(event) || !(event.key.length === 1 || event.key === 'Enter')) return
    event.preventDefault()
    event.stopImmediatePropagation()
    typed.push(event.key)
  }
  document.addEventListener('keydown', hold, true)
  await form.answered(row)
  document.removeEventListener('keydown', hold, true)
  if (form.asking || !row.contains(document.activeElement)) return
  step(form, control, by)
  typed.forEach(press)
}

/** A key as if it were pressed now. */
function press (key) {
  const control = document.activeElement
  const untouched = control.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  if (!untouched || key.length > 1 || !control.matches('input:not([type="radio"], [type="checkbox"]), textarea')) return
  control.setRangeText(key, control.selectionStart, control.selectionEnd, 'end')
  control.dispatchEvent(new Event('input', { bubbles: true }))
}

function problem (form, by) {
  const rows = form.rows.filter((row) => row.matches('.stop, .check') && !row.hidden)
  if (!rows.length) return
  const here = document.activeElement?.closest?.('[data-item]')
  const own = rows.indexOf(here)
  const after = rows.findIndex((row) => here && here.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING)
  const place = own >= 0 ? own + by : by > 0 ? Math.max(after, 0) : (after < 0 ? rows.length : after) - 1
  goTo(rows[(place + rows.length) % rows.length])
}

/** Into the first field that is empty. */
function begin (form) {
  const stops = focusable(form)
  const empty = stops.find((stop) => stop.dataset.part === 'value' && JSON.stringify(storedValue(stop)) === '""')
  const first = empty ?? stops[0]
  first?.focus()
  first?.select?.()
}

const storedValue = (stop) => JSON.parse(stop.closest('[data-item]').dataset.expected || '{}').value ?? ''

/** The form after this one of the same visit (or before), as the list beside it has them. */
async function otherForm (form, by) {
  const links = [...document.querySelectorAll('.rail-list a[href]')]
  const here = links.findIndex((link) => link.getAttribute('aria-current') === 'page')
  const there = here < 0 ? undefined : links[here + by]
  if (there && await form.flush()) there.click()
}

/** A key in a field. */
export function fieldKey (form, event) {
  if (event.defaultPrevented || event.isComposing) return
  const control = event.target
  const row = control.closest('[data-item]')
  const inNumber = control.matches('input.num[data-part="value"]')
  const onwards = event.key === 'Enter' || (event.key === 'Tab' && row?.matches('[data-decides]') && form.isUnsaved(row))
  if (onwards && !event.ctrlKey && !event.metaKey && control.matches('input, select')) {
    event.preventDefault()
    const by = event.shiftKey ? -1 : 1
    if (row?.matches('[data-decides]') && form.isUnsaved(row)) onward(form, control, row, by)
    else step(form, control, by)
  } else if (event.key === 'F2' && row) {
    event.preventDefault()
    if (form.take(row)) step(form, control, 1)
  } else if (event.key === 'Escape' && row && form.differs(row)) {
    event.preventDefault()
    form.restore(row)
  } else if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && control.matches('.lab input:not([type="radio"])')) {
    event.preventDefault()
    inColumn(form, control, event.key === 'ArrowDown' ? 1 : -1)
  } else if (inNumber && event.key === 'u' && plain(event) && !/[a-z]$/i.test(control.value)) nextUnit(control, event)
  else if (/^(Delete|Backspace)$/.test(event.key) && plain(event) && isChosenFrom(control)) unchoose(form, control, event)
  else if (/^[a-z0-9]$/i.test(event.key) && plain(event) && isChosenFrom(control)) choose(form, control, event)
}

/** A key anywhere on the page of a form. */
export function pageKey (form, event) {
  if (event.defaultPrevented || document.querySelector('dialog[open]')) return
  const ctrl = event.ctrlKey || event.metaKey
  const act = {
    F4: () => otherForm(form, event.shiftKey ? -1 : 1),
    F8: () => problem(form, event.shiftKey ? -1 : 1),
    F9: () => form.panel.enter(),
    Escape: form.panel.hasFocus && (() => form.panel.leave()),
    's': ctrl && (() => form.flush()),
    Enter: ctrl ? form.querySelector('[data-complete]') && (() => form.complete(form.querySelector('[data-complete]'))) : event.target === document.body && (() => begin(form)),
  }[event.key.length === 1 ? event.key.toLowerCase() : event.key]
  if (!act) return
  event.preventDefault()
  act()
}
