// Source verification by keyboard: in a form that a monitor reads, v says that the field in focus agrees with its source
// and goes on to the next one that waits.

const waiting = () => [...document.querySelectorAll('button[data-verify]')]

document.addEventListener('keydown', (event) => {
  if (event.key !== 'v' || event.ctrlKey || event.altKey || event.metaKey) return
  const field = event.target
  if (field.matches('input:not([readonly], [type="radio"], [type="checkbox"]), textarea:not([readonly])')) return
  const button = field.closest('[data-item]')?.querySelector('button[data-verify]')
  if (!button || button.disabled) return
  event.preventDefault()
  const all = waiting()
  const next = all[all.indexOf(button) + 1]
  button.click()
  next?.focus()
  next?.closest('[data-item]').scrollIntoView({ block: 'nearest' })
})
