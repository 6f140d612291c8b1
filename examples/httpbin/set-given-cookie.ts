import { BadRequest, type SetCookieOptions, type WsgiResponse } from 'vela';

/**
 * Sets a cookie whose name came from the client. Scripts may read it, as whoever tries cookies out wants to see them.
 * @throws {BadRequest} for a cookie that browsers would refuse: for setCookie() that is a mistake of the program
 */
export function setGivenCookie(
  response: WsgiResponse,
  name: string,
  value: string,
  options: SetCookieOptions = {},
): WsgiResponse {
  try {
    return response.setCookie(name, value, { httpOnly: false, ...options });
  } catch (cause) {
    throw new BadRequest('Browsers take no such cookie', { cause });
  }
}
