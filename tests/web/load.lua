-- What wrk does to the web server: as many visitors as it has threads, one connection and one session each, so that
-- every visitor knows what each of its requests must be answered with. A visitor who is asked to log in does so.
--
--   STOP      when this file is there, every visitor leaves after an answer, with no request under way
--   LEFT      gets a line from each that has left
--   FIGURES   gets the sums, a name and a number in each line, when wrk ends
--   WRONG     gets each answer that is wrong
--   PAUSE     milliseconds that a visitor looks at an answer; without it nobody does

local pages = { "/hello", "/banana", "/coconut" }
local answers_between_looks = 20
local visitors = {}

local pause = tonumber(os.getenv("PAUSE"))
if pause then
  function delay() return pause end
end

function setup(thread)
  table.insert(visitors, thread)
  thread:set("number", #visitors)
end

function init()
  served, forms, log_ins, wrong = 0, 0, 0, 0
  page, seen, answers, cookie = number, 0, 0, nil
  is_logging_in = false
  shown = {}
end

function request()
  local headers = { Host = "localhost", Cookie = cookie }
  if is_logging_in then
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return wrk.format("POST", "/login", headers, "page=/hello&user=ada&password=lovelace")
  end
  page = page % #pages + 1
  return wrk.format("GET", pages[page], headers)
end

local function append(path, text)
  local file = io.open(path, "a")
  file:write(text, "\n")
  file:close()
end

-- The page counts for everybody, the session for this visitor alone.
local function is_next(body)
  local shown_now = tonumber(body:match('id="shown">(%d+)<'))
  local seen_now = tonumber(body:match('id="seen">(%d+)<'))
  local is_right = shown_now > (shown[page] or 0) and seen_now == seen + 1
  shown[page], seen = shown_now, seen_now
  return is_right
end

local function judge(status, headers, body)
  if is_logging_in then
    is_logging_in = false
    log_ins = log_ins + 1
    return status == 303
  end
  if status ~= 200 then return false end
  if body:find('id="message"', 1, true) then
    served = served + 1
    return is_next(body)
  end
  forms = forms + 1
  is_logging_in = true
  return body:find('action="/login"', 1, true) ~= nil
end

function response(status, headers, body)
  local given = headers["Set-Cookie"]
  if given then
    if cookie then append(os.getenv("WRONG"), "another session was opened for " .. cookie) wrong = wrong + 1 end
    cookie = given:match("session=%x+")
  end
  if not judge(status, headers, body) then
    wrong = wrong + 1
    append(os.getenv("WRONG"), status .. " " .. pages[page] .. ", page " .. seen .. " of the session: " .. body)
  end
  answers = answers + 1
  if answers % answers_between_looks ~= 0 then return end
  local stop = io.open(os.getenv("STOP"))
  if not stop then return end
  stop:close()
  append(os.getenv("LEFT"), number)
  wrk.thread:stop()
end

function done(summary, latency)
  local sums = { served = 0, forms = 0, log_ins = 0, wrong = 0 }
  for _, visitor in ipairs(visitors) do
    for name in pairs(sums) do sums[name] = sums[name] + visitor:get(name) end
  end
  sums.requests = summary.requests
  sums.p50, sums.p99, sums.max = latency:percentile(50), latency:percentile(99), latency.max
  local errors = summary.errors
  sums.socket_errors = errors.connect + errors.read + errors.write + errors.timeout
  sums.status_errors = errors.status
  local file = io.open(os.getenv("FIGURES"), "w")
  for name, number in pairs(sums) do file:write(name, " ", string.format("%d", number), "\n") end
  file:close()
end
