// One row of a form: what it holds, and how a value is put back.

export const isChoice = (control) => control.matches('select, input[type="radio"], input[type="checkbox"]')

const controls = (row) => [...row.querySelectorAll('[data-part]')]

const valueOf = (control) => {
  const date = control.closest('edc-date')
  return date?.iso !== undefined ? date.iso : control.value
}

/** Item and parts of a row as they are posted; several values under one name where several may be chosen. */
export function partsOf (row) {
  const body = new URLSearchParams()
  body.set('item', row.dataset.item)
  const seen = new Set()
  for (const control of controls(row)) {
    const part = control.dataset.part
    const several = control.type === 'checkbox'
    if (control.type === 'radio' || several) {
      if (control.checked && seen.has(part) && several) body.append(part, control.value)
      else if (control.checked) body.set(part, control.value)
      else if (!body.has(part)) body.set(part, '')
      if (control.checked) seen.add(part)
    } else if (!(seen.has(part) && control.closest('edc-date'))) {
      body.set(part, valueOf(control).trim())
      seen.add(part)
    }
  }
  return body
}

/** A row's parts as one text, to tell whether anything changed. */
export const snapshot = (row) => partsOf(row).toString()

/** The row that the server sent as HTML, not yet in the page. */
export function rowIn (text) {
  const box = document.createElement('template')
  box.innerHTML = text
  return box.content.querySelector('[data-item]')
}

/** What people see of a row besides what is typed in it, to tell whether it looks different. */
export function looksOf (row) {
  const messages = row.querySelector('.messages, .lab-message')?.cloneNode(true)
  for (const offered of messages?.querySelectorAll('[data-proposal]') ?? []) offered.remove()
  const words = messages?.textContent.replace(/\s+/g, ' ').trim()
  return [row.dataset.expected, row.hidden, row.className.replace(/\b(changed|just-changed)\b/g, '').trim(), words].join('|')
}

function storedParts (from) {
  if (from instanceof URLSearchParams) return from
  const parts = new URLSearchParams()
  let stored
  try {
    stored = JSON.parse(from || '{}')
  } catch {
    return null
  }
  for (const name of ['value', 'unit', 'low', 'high', 'missing']) {
    const value = stored?.[name]
    if (Array.isArray(value)) for (const one of value) parts.append(name, one)
    else parts.set(name, value ?? '')
  }
  return parts
}

/**
 * Set the controls of a row: to given parts, to the JSON of a stored cell, or, without either, to what the server's HTML says.
 * The control that has the focus keeps what was typed when nothing is given.
 */
export function putBack (row, from = null, focused = null) {
  const parts = from === null ? null : storedParts(from)
  for (const control of controls(row)) {
    const { part } = control.dataset
    if (control.type === 'radio' || control.type === 'checkbox') {
      control.checked = parts ? parts.getAll(part).includes(control.value) : control.defaultChecked
    } else if (control.tagName === 'SELECT') {
      setSelect(control, parts?.get(part))
    } else if (control !== focused || parts) {
      control.value = parts ? parts.get(part) ?? '' : control.defaultValue
      control.closest('edc-date')?.settle?.()
    }
  }
}

function setSelect (select, value) {
  const options = [...select.options]
  const chosen = value === undefined || value === null
    ? options.find((option) => option.defaultSelected) ?? options[0]
    : options.find((option) => option.value === value)
  if (chosen) select.value = chosen.value
}

/** Stops of the Enter key: one per field, one per group of radios. */
export function focusable (root) {
  const all = [...root.querySelectorAll('[data-part]')].filter((control) => !control.readOnly && !control.disabled && control.offsetParent)
  const groups = new Set()
  return all.filter((control) => {
    if (control.type !== 'radio') return control.type !== 'checkbox' || first(groups, control.closest('[data-item]').id)
    const group = all.filter((other) => other.type === 'radio' && other.name === control.name)
    return control === (group.find((other) => other.checked) ?? group[0])
  })
}

const first = (seen, key) => !seen.has(key) && Boolean(seen.add(key))

/** Bring a row into view and put the focus on its first control. */
export function goTo (row) {
  if (!row) return
  const control = focusable(row)[0] ?? row.querySelector('a, button')
  control?.focus()
  control?.select?.()
  row.scrollIntoView({ block: 'nearest' })
}
