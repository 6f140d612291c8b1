/**
 * The Content-Disposition of a file to be saved (RFC 6266): the name in ASCII, and where that is not enough in full as
 * `filename*` (RFC 8187).
 * @param name - any text; what may not stand in a file's name is replaced, and folders before it are left out
 */
export function formatAttachment(name: string | undefined): string {
  if (name === undefined) return 'attachment';
  const safe = cleanName(name);
  // Some clients decode percent-escapes in the plain form, so it has none.
  const plain = safe.replaceAll(/[^\x20-\x7e]|["%]/g, '_');
  const full = plain === safe ? '' : `; filename*=UTF-8''${encodeExtended(safe)}`;
  return `attachment; filename="${plain}"${full}`;
}

/** The last part of a path, whole code points, no control characters. */
function cleanName(name: string): string {
  const last = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1);
  const clean = Buffer.from(last)
    .toString()
    .replaceAll(/\p{Cc}/gu, '_');
  return clean === '' || clean === '.' || clean === '..' ? 'download' : clean;
}

function encodeExtended(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
