-- wrk: authenticated tools/call requests to an MCP endpoint, every reply checked.
--
-- Environment, set by run.py:
--   TOKEN     bearer token
--   REVISION  2026-07-28 (stateless) or 2025-11-25
--   SESSIONS  Mcp-Session-Id values, separated by spaces; empty for a server that keeps none
--   LIMIT     stop after this many replies
--
-- A reply counts as good only when it is a JSON-RPC result, plain or SSE-framed, that answers a
-- request still open and carries back the argument sent with it. At LIMIT, "limit" goes to
-- standard error: wrk's main thread sleeps out its duration unless it is interrupted.

local token = os.getenv("TOKEN")
local revision = os.getenv("REVISION")
local limit = tonumber(os.getenv("LIMIT"))
local sessions = {}
for id in (os.getenv("SESSIONS") or ""):gmatch("%S+") do
  sessions[#sessions + 1] = id
end

local headers = {
  ["Content-Type"] = "application/json",
  ["Accept"] = "application/json, text/event-stream",
  ["Authorization"] = "Bearer " .. token,
  ["MCP-Protocol-Version"] = revision,
}
local meta = ""
if revision == "2026-07-28" then
  headers["Mcp-Method"] = "tools/call"
  headers["Mcp-Name"] = "hello"
  meta = ',"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    .. '"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},'
    .. '"io.modelcontextprotocol/clientCapabilities":{}}'
end
local body = '{"jsonrpc":"2.0","id":%d,"method":"tools/call",'
  .. '"params":{"name":"hello","arguments":{"name":"caller-%d."}' .. meta .. "}}"

-- Globals: done() runs in another Lua state and reads them through thread:get.
good, bad, first_bad = 0, 0, ""
local last_id = 0
local open = {}

function request()
  last_id = last_id + 1
  open[last_id] = true
  if #sessions > 0 then
    headers["Mcp-Session-Id"] = sessions[last_id % #sessions + 1]
  end
  return wrk.format("POST", nil, headers, body:format(last_id, last_id))
end

local function answers_an_open_request(status, reply)
  if status ~= 200 or not reply:find('"result"%s*:%s*{') or reply:find('"isError"%s*:%s*true') then
    return false
  end
  local id = tonumber(reply:match('"id"%s*:%s*(%d+)'))
  if not id or not open[id] or not reply:find("caller-" .. id .. ".", 1, true) then
    return false
  end
  open[id] = nil
  return true
end

function response(status, _, reply)
  if answers_an_open_request(status, reply) then
    good = good + 1
  else
    bad = bad + 1
    if first_bad == "" then
      first_bad = (status .. " " .. reply:sub(1, 300)):gsub("[^%w%p ]", " ")
    end
  end
  if good + bad == limit then
    io.stderr:write("limit\n")
    wrk.thread:stop()
  end
end

local threads = {}
function setup(thread)
  threads[#threads + 1] = thread
end

function done(summary, latency)
  local all_good, all_bad, example = 0, 0, ""
  for _, thread in ipairs(threads) do
    all_good = all_good + thread:get("good")
    all_bad = all_bad + thread:get("bad")
    if example == "" then
      example = thread:get("first_bad")
    end
  end
  local errors = summary.errors
  io.write(string.format("good=%d bad=%d socket_errors=%d seconds=%.3f p50_ms=%.3f p99_ms=%.3f\n",
    all_good, all_bad, errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
  io.write("first_bad=" .. example .. "\n")
end
