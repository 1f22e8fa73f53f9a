// What every page does: search by `/`, the list of keys, colours and rows, buttons that open and close dialogs.

const typing = (element) => element?.matches?.('input:not([type="radio"], [type="checkbox"]), textarea, select, [contenteditable]')

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing) return
  if (event.key === '/' && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
    if (document.documentElement.dataset.slash !== 'off') find(event, document.querySelector('[data-find]'))
  } else if (event.key === 'k' && (event.ctrlKey || event.metaKey)) {
    find(event)
  } else if (event.key === '/' && (event.ctrlKey || event.metaKey)) {
    event.preventDefault()
    openDialog('#keys')
  }
})

/** Put the cursor into the page's own search field, or into that of the header. */
function find (event, own = null) {
  const field = own?.offsetParent ? own : document.getElementById('search')
  if (!field?.offsetParent) return
  event.preventDefault()
  field.focus()
  field.select()
}

function openDialog (selector) {
  const found = document.querySelector(selector)
  const dialog = found?.matches('dialog') ? found : found?.querySelector('dialog')
  if (!dialog || dialog.open) return
  const element = dialog.closest('edc-dialog')
  if (element?.open) element.open()
  else dialog.showModal()
}

const remember = (name, value) => {
  const age = value ? 'max-age=31536000' : 'max-age=0'
  document.cookie = `${name}=${value}; path=/; samesite=lax; ${age}${location.protocol === 'https:' ? '; secure' : ''}`
}

function choose (name, value) {
  if (value) document.documentElement.dataset[name] = value
  else delete document.documentElement.dataset[name]
  remember(name, value)
  markChoices()
}

function markChoices () {
  for (const name of ['theme', 'density']) {
    const now = document.documentElement.dataset[name] ?? ''
    for (const button of document.querySelectorAll(`[data-${name}-set]`)) {
      button.setAttribute('aria-pressed', String(button.getAttribute(`data-${name}-set`) === now))
    }
  }
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-theme-set], [data-density-set], [data-open], [aria-disabled="true"]')
  if (!button) return
  if (button.getAttribute('aria-disabled') === 'true') event.preventDefault()
  else if (button.dataset.themeSet !== undefined) choose('theme', button.dataset.themeSet)
  else if (button.dataset.densitySet !== undefined) choose('density', button.dataset.densitySet)
  else {
    event.preventDefault()
    openDialog(button.dataset.open)
  }
}, true)

markChoices()

// A link may name a dialog of the page: a due visit in a work list opens where its date is typed.
customElements.whenDefined('edc-dialog').then(() => {
  const named = /^#[\w-]+$/.test(location.hash) ? document.querySelector(location.hash) : null
  if (named?.matches('edc-dialog')) openDialog(location.hash)
})
