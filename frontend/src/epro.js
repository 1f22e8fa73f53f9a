import './css/epro.css'

// The page works without this: it only tells the time of the device, and that sending once is enough.
const pad = (number) => String(Math.trunc(Math.abs(number))).padStart(2, '0')

function deviceTime (now) {
  const offset = -now.getTimezoneOffset()
  const local = new Date(now.getTime() + offset * 60000).toISOString().slice(0, 19)
  return `${local}${offset < 0 ? '-' : '+'}${pad(offset / 60)}:${pad(offset % 60)}`
}

document.querySelector('form[data-send]')?.addEventListener('submit', (event) => {
  const form = event.currentTarget
  if (form.dataset.send === 'sent') { event.preventDefault(); return }
  form.dataset.send = 'sent'
  form.elements.device_time.value = deviceTime(new Date())
})

// Back from the browser's memory: the form may be sent again, and the server sees to it that it counts once.
window.addEventListener('pageshow', () => {
  const form = document.querySelector('form[data-send]')
  if (form) form.dataset.send = ''
})
