"""Lua that must be one step. Every script touches keys of one connection only, so it works on a Cluster.

At the memory limit Redis refuses whatever may use more. ``allow-oom`` is for scripts that must work then, too, so that
workers can finish what is there and make room: their keys are a few per connection, however much there is to do. What
brings work in (``PUBLISH``) has to wait.
"""

from __future__ import annotations

# Which life of the data this is: another one after a restart, a failover, a replica made a server of its own. Between
# two lives writes may have been lost. Unknown ('') where INFO is not allowed.
_LIFE = """
local info = redis.pcall('INFO', 'server', 'replication')
local life = ''
if type(info) == 'string' then
  local process, history = string.match(info, 'run_id:(%w+)'), string.match(info, 'master_replid:(%w+)')
  if process then life = string.sub(redis.sha1hex(process .. (history or '')), 1, 16) end
end
"""

PUBLISH = """
-- KEYS[1] stream; ARGV[1] lapses at, ARGV[2] version of the connection's configuration, ARGV[3] field of the body, then
-- per entry: id, body. An id that is not larger than the stream's last is refused; returns the numbers of those, from 1
@life
local refused = {}
for i = 4, #ARGV, 2 do
  local done = redis.pcall('XADD', KEYS[1], ARGV[i], ARGV[3], ARGV[i + 1], 'x', ARGV[1], 'c', ARGV[2], 'g', life)
  if type(done) == 'table' and done.err then
    if not string.find(done.err, 'equal or smaller', 1, true) then return redis.error_reply(done.err) end
    refused[#refused + 1] = (i - 2) / 2
  end
end
return refused
""".replace("@life", _LIFE)

GROUP = """#!lua flags=allow-oom
-- KEYS[1] stream, KEYS[2] up to which entry a group that was lost may have been given them; ARGV[1] group
-- Made from the first entry on, and the stream with it. 1: it was made, 0: there is one
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err then
  if string.find(made.err, 'BUSYGROUP', 1, true) then return 0 end
  return redis.error_reply(made.err)
end
local last = '-1'
if redis.call('EXISTS', KEYS[2]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
end
redis.call('SET', KEYS[2], last)
return 1
"""

BEGIN = """#!lua flags=allow-oom
-- KEYS[1] stream, KEYS[2..] version key of each entry ('' has none: then KEYS[1] again), last KEYS[2] of GROUP
-- ARGV[1] group, ARGV[2] consumer, ARGV[3] ttl ms of version keys, ARGV[4] 1: work begins, 0: it goes on,
-- ARGV[5], ARGV[6] smallest and largest id, then per entry: id, version ('' none), life of its XADD ('' unknown).
-- Beginning raises the entry's counter: reading alone does not make a suspect.
-- per entry: 1 go on, 2 somebody else's or finished, 3 an older version than one already begun, 4 from another life of
-- Redis, or given to a group that was lost: it may have been worked on, and settled, without this one knowing
@life
local out = {}
local time = redis.call('TIME')
out[1] = time[1] * 1000 + math.floor(time[2] / 1000)
local n = (#ARGV - 6) / 3
local most = n + 1000
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[5], ARGV[6], most)
local owned = pending.err == nil
local mine = {}
if owned and #pending < most then
  for _, p in ipairs(pending) do if p[2] == ARGV[2] then mine[p[1]] = p[4] end end
elseif owned then -- others have much between ours: one by one
  for i = 1, n do
    local p = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[4 + 3 * i], ARGV[4 + 3 * i], 1)
    if p[1] and p[1][2] == ARGV[2] then mine[p[1][1]] = p[1][4] end
  end
end
local lost = tonumber(string.match(redis.call('GET', KEYS[n + 2]) or '', '^%d+')) or -1
local groups = {}
for i = 1, n do
  local id, version, published = ARGV[4 + 3 * i], ARGV[5 + 3 * i], ARGV[6 + 3 * i]
  local verdict = 1
  if owned and not mine[id] then
    verdict = 2
  elseif published ~= '' and life ~= '' and (published ~= life or tonumber(string.match(id, '^%d+')) <= lost) then
    verdict = 4
  end
  if verdict == 1 and owned then
    local times = tonumber(mine[id]) + tonumber(ARGV[4])
    groups[times] = groups[times] or {}
    table.insert(groups[times], id)
  end
  if verdict == 1 and version ~= '' then
    local known = redis.call('GET', KEYS[1 + i])
    if known and tonumber(known) > tonumber(version) then
      verdict = 3
    else
      redis.call('SET', KEYS[1 + i], version, 'PX', ARGV[3])
    end
  end
  out[1 + i] = verdict
end
for times, ids in pairs(groups) do
  for first = 1, #ids, 1000 do
    local claim = {'XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0}
    for k = first, math.min(#ids, first + 999) do claim[#claim + 1] = ids[k] end
    for _, word in ipairs({'RETRYCOUNT', times, 'JUSTID'}) do claim[#claim + 1] = word end
    redis.call(unpack(claim))
  end
end
return out
""".replace("@life", _LIFE)

FINISH = """#!lua flags=allow-oom
-- KEYS[1] source stream, KEYS[2] results, KEYS[3..] counts that end; ARGV[1] group, ARGV[2] number of ids, ids, items
-- results are written even when the entry is gone (FLUSHALL): a repeated result is harmless, a lost one is not.
-- They are written at the memory limit, too: the entries they answer go in the same step.
local n = tonumber(ARGV[2])
for i = 3 + n, #ARGV do redis.call('XADD', KEYS[2], '*', 'i', ARGV[i]) end
for first = 3, 2 + n, 1000 do
  local last = math.min(2 + n, first + 999)
  redis.pcall('XACK', KEYS[1], ARGV[1], unpack(ARGV, first, last))
  redis.call('XDEL', KEYS[1], unpack(ARGV, first, last))
end
for i = 3, #KEYS do redis.call('DEL', KEYS[i]) end
return 1
"""

COUNT = """#!lua flags=allow-oom
-- KEYS how often each suspect was begun without a result; ARGV[1] ttl ms, then these numbers
-- The larger stays: who drops an old entry may know less than who has begun the new one meanwhile.
for i = 1, #KEYS do
  local number, known = tonumber(ARGV[1 + i]), tonumber(redis.call('GET', KEYS[i]) or 0)
  redis.call('SET', KEYS[i], math.max(number, known), 'PX', ARGV[1])
end
return 1
"""

PAGE = """#!lua flags=allow-oom
-- KEYS[1] stream of pulls, KEYS[2] results, KEYS[3] witness of this run; ARGV[1] group, ARGV[2] consumer, ARGV[3] id of
-- the request, ARGV[4] entries the results stream had got after the page before (0 none), ARGV[5] ttl ms, then items
-- Written only while nothing of this run can have been lost: what comes later must not be stored before it.
-- The stream's count falls when the stream is lost. A replica that takes over without the newest writes may be brought
-- up to that count by other results; but it lost the witness that was written with the page.
-- Returns what the results stream has got; -1: another consumer has the request; -2: request or results are lost
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1)
if pending.err or not pending[1] then return -2 end
if pending[1][2] ~= ARGV[2] then return -1 end
redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'JUSTID')
local got, info = 0, redis.pcall('XINFO', 'STREAM', KEYS[2])
if not info.err then
  for i = 1, #info, 2 do if info[i] == 'entries-added' then got = info[i + 1] end end
end
local known = tonumber(ARGV[4])
if got < known or tonumber(redis.call('GET', KEYS[3]) or 0) < known then return -2 end
for i = 6, #ARGV do redis.call('XADD', KEYS[2], '*', 'i', ARGV[i]) end
got = got + #ARGV - 5
redis.call('SET', KEYS[3], got, 'PX', ARGV[5])
return got
"""

REPORT = """#!lua flags=allow-oom
-- KEYS[1] results; ARGV[1] item: how the connection is, told when that changes
return redis.call('XADD', KEYS[1], '*', 'i', ARGV[1])
"""

NOTE = """#!lua flags=allow-oom
-- KEYS[1] hash; ARGV field, value, …: who is there, and when that was so
return redis.call('HSET', KEYS[1], unpack(ARGV))
"""

RELEASE = """
-- KEYS[1] stream; ARGV[1] group, ARGV[2] consumer, ARGV[3] idle ms, ids: what is still the consumer's is given back
for i = 4, #ARGV do
  local mine = redis.pcall('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])
  if mine.err == nil and #mine == 1 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], 'released', 0, ARGV[i], 'IDLE', ARGV[3], 'JUSTID')
  end
end
return 1
"""

LEAVE = """
-- KEYS[1] stream; ARGV[1] group, ARGV[2] consumer: removing one with entries in hand would lose them
local mine = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if mine.err == nil and #mine == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return 1
"""

TELL = """#!lua flags=allow-oom
-- KEYS[1] config hash; ARGV per connection: reference, version, newer version it may replace ('' none), row
-- returns reference and known version of each that was not written, for what is known is newer
local refused = {}
for i = 1, #ARGV, 4 do
  local known, version = redis.call('HGET', KEYS[1], ARGV[i]), 0
  if known then
    local readable, row = pcall(cjson.decode, known)
    if readable and type(row) == 'table' then version = tonumber(row['config_version']) or 0 end
  end
  if version > tonumber(ARGV[i + 1]) and tostring(version) ~= ARGV[i + 2] then
    refused[#refused + 1] = ARGV[i]
    refused[#refused + 1] = version
  else
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 3])
  end
end
return refused
"""

ACQUIRE = """#!lua flags=allow-oom
-- KEYS[1] bucket; ARGV rate per s, burst, cost, share kept back for more urgent work (0..1), recovery per s
-- returns {0 taken | ms to wait, tokens left}
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local b = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'blocked', 'factor', 'rate', 'burst')
local rate = tonumber(b[5]) or tonumber(ARGV[1])
local burst = math.max(tonumber(b[6]) or 0, tonumber(ARGV[2]))
local at = tonumber(b[2]) or now
local factor = tonumber(b[4]) or 1
local since = math.max(0, now - at) / 1000
factor = math.min(1, factor + since * tonumber(ARGV[5]))
local tokens = math.min(burst, (tonumber(b[1]) or burst) + since * rate * factor)
local blocked = tonumber(b[3]) or 0
local cost = math.min(tonumber(ARGV[3]), burst)
local floor = math.min(burst * tonumber(ARGV[4]), burst - cost)
local wait = 0
if blocked > now then return {math.ceil(blocked - now), tostring(tokens)} end
if tokens - cost < floor - 0.000001 then
  wait = (floor + cost - tokens) / (rate * factor) * 1000
else
  tokens = tokens - cost
end
redis.call('HSET', KEYS[1], 'tokens', tokens, 'at', now, 'factor', factor)
redis.call('PEXPIRE', KEYS[1], 3600000 + math.ceil(math.max(0, blocked - now)))
return {math.ceil(wait), tostring(tokens)}
"""

FEEDBACK = """#!lua flags=allow-oom
-- KEYS[1] bucket; ARGV available, restore rate: what the other side says is the truth
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
redis.call('HSET', KEYS[1], 'tokens', ARGV[1], 'at', now)
if tonumber(ARGV[2]) > 0 then redis.call('HSET', KEYS[1], 'rate', ARGV[2]) end
local burst = tonumber(redis.call('HGET', KEYS[1], 'burst') or 0)
if tonumber(ARGV[1]) > burst then redis.call('HSET', KEYS[1], 'burst', ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], 3600000)
return 1
"""

BUDGETS = """#!lua flags=allow-oom
-- KEYS[1] mark of the last report, KEYS[2] breaker, KEYS[3..] buckets; ARGV[1] ms between reports, then rate and burst
-- returns {} too early, else {state of the breaker, per bucket {tokens, burst, rate, factor, blocked ms} or {} unused}
if not redis.call('SET', KEYS[1], 1, 'NX', 'PX', ARGV[1]) then return {} end
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local out = {redis.call('HGET', KEYS[2], 'state') or 'closed'}
for i = 3, #KEYS do
  local b = redis.call('HMGET', KEYS[i], 'tokens', 'at', 'blocked', 'factor', 'rate', 'burst')
  if b[2] then
    local rate = tonumber(b[5]) or tonumber(ARGV[2 * i - 4])
    local burst = math.max(tonumber(b[6]) or 0, tonumber(ARGV[2 * i - 3]))
    local since = math.max(0, now - tonumber(b[2])) / 1000
    local factor = tonumber(b[4]) or 1
    local tokens = math.min(burst, (tonumber(b[1]) or burst) + since * rate * factor)
    local blocked = math.max(0, (tonumber(b[3]) or 0) - now)
    out[i - 1] = {tostring(tokens), tostring(burst), tostring(rate), tostring(factor), tostring(blocked)}
  else
    out[i - 1] = {}
  end
end
return out
"""

PENALISE = """#!lua flags=allow-oom
-- KEYS[1] bucket; ARGV ms to wait, least factor: all workers wait, then go on at half the rate
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local b = redis.call('HMGET', KEYS[1], 'blocked', 'factor')
local blocked = math.max(tonumber(b[1]) or 0, now + tonumber(ARGV[1]))
-- a storm of refusals of requests already on their way halves once, not once each
local factor = tonumber(b[2]) or 1
if (tonumber(b[1]) or 0) <= now then factor = math.max(tonumber(ARGV[2]), factor / 2) end
redis.call('HSET', KEYS[1], 'blocked', blocked, 'factor', factor, 'tokens', 0, 'at', blocked)
redis.call('PEXPIRE', KEYS[1], 3600000 + math.ceil(blocked - now))
return tostring(factor)
"""

BREAKER = """#!lua flags=allow-oom
-- KEYS[1] hash; ARGV[1] ask | good | bad, threshold, base ms, most ms, probe ms
-- returns {state, ms to wait (0 go on), 1 when the state changed}
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local b = redis.call('HMGET', KEYS[1], 'state', 'failures', 'until', 'opens')
local state, failures = b[1] or 'closed', tonumber(b[2]) or 0
local till, opens = tonumber(b[3]) or 0, tonumber(b[4]) or 0
local before, wait = state, 0
if ARGV[1] == 'ask' then
  if state ~= 'closed' then
    if now < till then wait = till - now
    else state = 'half_open'; till = now + tonumber(ARGV[5]) end
  end
elseif ARGV[1] == 'good' then
  if state == 'closed' and failures == 0 then return {state, 0, 0} end
  state = 'closed'; failures = 0; opens = 0; till = 0
elseif ARGV[1] == 'bad' then
  failures = failures + 1
  if state == 'half_open' or (state == 'closed' and failures >= tonumber(ARGV[2])) then
    state = 'open'
    till = now + math.min(tonumber(ARGV[4]), tonumber(ARGV[3]) * 2 ^ opens)
    opens = math.min(opens + 1, 20)
  end
end
redis.call('HSET', KEYS[1], 'state', state, 'failures', failures, 'until', till, 'opens', opens)
return {state, wait, (before ~= state) and 1 or 0}
"""
