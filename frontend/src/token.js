const said = (page, name) => page.querySelector(`meta[name="${name}"]`)?.content ?? ''

export const token = () => said(document, 'csrf-token')

/**
 * After signing in again in another tab the old token is refused: take the new one.
 * Only for the same person; what one typed is never saved in the name of another.
 */
export async function renewToken () {
  const answer = await fetch(location.href, { credentials: 'same-origin', cache: 'no-store', headers: { Accept: 'text/html' } })
  if (!answer.ok || answer.redirected) return false
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  if (!said(page, 'person') || said(page, 'person') !== said(document, 'person')) return false
  document.querySelector('meta[name="csrf-token"]').content = said(page, 'csrf-token')
  return true
}
