-- Arguments: requests a write, method, bytes of body, the body itself (else it is x again and again). Prints "ready" before the load and one line of JSON after it.

init = function(args)
  wrk.method = args[2]
  local bodyBytes = tonumber(args[3])
  if args[4] ~= nil and args[4] ~= '' then
    wrk.body = args[4]
  elseif bodyBytes > 0 then
    wrk.body = string.rep('x', bodyBytes)
  end
  -- wrk calls wrk.format once after this function and sends the text that it gives; a `request` function would be
  -- called for each request and slow the generator down.
  local requests = string.rep(wrk.format(), tonumber(args[1]))
  wrk.format = function()
    return requests
  end
  io.write('ready\n')
  io.flush()
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"bytes":%.0f,"durationUs":%d,"p50Us":%d,"p99Us":%d,"errors":{"connect":%d,"read":%d,"write":%d,"timeout":%d,"status":%d}}\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status
  ))
end
