/** A decoded path, such as SCRIPT_NAME, as it may stand in a URL. */
export function encodePath(path: string): string {
  return path === '' ? path : path.split('/').map(encodeURIComponent).join('/');
}
