/** Headers with which a browser keeps a file, whatever it is, instead of showing it as a page of ours. */
export const downloadHeaders = (name: string, mimeType: string | undefined): Record<string, string> => ({
  'content-type': mimeType !== undefined && mediaType.test(mimeType) ? mimeType : 'application/octet-stream',
  'content-disposition': disposition(name),
})

/** RFC 9110, 8.3.1: whoever saved a file may have called its type anything. */
const token = String.raw`[\w!#$%&'*+.^\x60|~-]+`
const mediaType = new RegExp(
  String.raw`^${token}/${token}(?:[ \t]*;[ \t]*${token}=(?:${token}|"[\x20\x21\x23-\x5b\x5d-\x7e]*"))*$`,
)

/** RFC 6266: a name in ASCII for those who read nothing else, and the whole one as RFC 8187 writes it. */
function disposition(name: string): string {
  // No part of a path: some browsers would take it for one.
  const file = name.replace(/^user:/, '').replaceAll(/[/\\\p{Cc}]/gu, '_')
  const plain = file.replaceAll(/[^\x20-\x7e]|["%]/gu, '_')
  const encoded = encodeURIComponent(file).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `attachment; filename="${plain}"${plain === file ? '' : `; filename*=UTF-8''${encoded}`}`
}

/** Whether `If-None-Match` names it: RFC 9110, 13.1.2, which compares weakly. */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((one) => one.trim().replace(/^W\//, '') === etag)
}
