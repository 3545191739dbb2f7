#include "commands.hpp"

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <limits>

namespace key_value {
namespace {

constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

std::string in_capitals(std::string_view word) {
  std::string capitals(word);
  std::ranges::transform(capitals, capitals.begin(), [](unsigned char letter) { return std::toupper(letter); });
  return capitals;
}

void get(Database& database, const Request& request, Replies& replies) {
  std::optional<Value> value;
  {
    Shard& shard = database.store.shard_of(request.words[1]);
    const std::lock_guard lock(shard.mutex);
    if (auto found = shard.entries.find(request.words[1]); found != shard.entries.end()) value = found->second->value();
  }
  add_value(replies, value);
}

void set(Database& database, const Request& request, Replies& replies) {
  Value value(request.words[2]);
  Shard& shard = database.store.shard_of(request.words[1]);
  {
    const std::lock_guard lock(shard.mutex);
    if (auto found = shard.entries.find(request.words[1]); found != shard.entries.end())
      found->second->set_value(std::move(value));
    else
      shard.entries.emplace(request.words[1], std::make_unique<Entry>(std::move(value)));
  }
  replies.add_status("OK");
}

void del(Database& database, const Request& request, Replies& replies) {
  std::int64_t count = 0;
  for (const std::string_view key : std::span(request.words).subspan(1)) {
    Shard& shard = database.store.shard_of(key);
    const std::lock_guard lock(shard.mutex);
    auto found = shard.entries.find(key);
    if (found == shard.entries.end()) continue;
    shard.entries.erase(found);
    ++count;
  }
  replies.add_integer(count);
}

void incr(Database& database, const Request& request, Replies& replies) {
  Shard& shard = database.store.shard_of(request.words[1]);
  const std::lock_guard lock(shard.mutex);
  auto found = shard.entries.find(request.words[1]);
  const bool is_there = found != shard.entries.end();
  const std::optional<std::int64_t> number = incremented(is_there ? &found->second->value() : nullptr, replies);
  if (!number) return;
  Value value(std::to_string(*number));
  if (is_there)
    found->second->set_value(std::move(value));
  else
    shard.entries.emplace(request.words[1], std::make_unique<Entry>(std::move(value)));
}

void info(Database& database, const Request&, Replies& replies) {
  replies.add_bulk("# Server\r\nversion:1\r\nrequests:" + std::to_string(database.requests) +
                   "\r\n# Keyspace\r\nkeys:" + std::to_string(database.store.size()) + "\r\n");
}

void ping(Database&, const Request& request, Replies& replies) {
  request.words.size() == 1 ? replies.add_status("PONG") : replies.add_bulk(request.words[1]);
}

/// What redis-benchmark asks first. There is nothing to configure.
void config(Database&, const Request& request, Replies& replies) {
  if (request.words.size() == 3 && in_capitals(request.words[1]) == "GET")
    replies.add_array({request.words[2], ""});
  else
    replies.add_error("ERR CONFIG takes GET and a name");
}

/// What redis-cli asks first. It knows the commands by itself.
void command(Database&, const Request&, Replies& replies) { replies.add_array({}); }

/// Where DEBUG STAY keeps its thread until DEBUG LEAVE.
struct Stay {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t leaves = 0;
};

/// A command that does not come to its end, for tests of what an update does then.
void debug(Database& database, const Request& request, Replies& replies) {
  static Stay stay;
  const std::string what = in_capitals(request.words[1]);
  if (!database.has_debug_commands || (what != "STAY" && what != "LEAVE")) {
    replies.add_error("ERR DEBUG takes STAY or LEAVE, in a server started with --debug-commands");
    return;
  }
  std::unique_lock lock(stay.mutex);
  const std::uint64_t leaves_before = stay.leaves;
  if (what == "STAY") {
    stay.changed.wait(lock, [&] { return stay.leaves > leaves_before; });
  } else {
    ++stay.leaves;
    stay.changed.notify_all();
  }
  replies.add_status("OK");
}

constexpr Command version_1[] = {
    {"GET", 2, 2, get},
    {"SET", 3, 3, set},
    {"DEL", 2, any_number, del},
    {"INCR", 2, 2, incr},
    {"PING", 1, 2, ping},
    {"INFO", 1, any_number, info},
    {"CONFIG", 2, any_number, config},
    {"COMMAND", 1, any_number, command},
    {"DEBUG", 2, 2, debug},
};

}  // namespace

void run_command(std::span<const Command> commands, Database& database, const Request& request, Replies& replies) {
  const std::string name = in_capitals(request.words[0]);
  auto found = std::ranges::find(commands, name, &Command::name);
  if (found == commands.end())
    replies.add_error("ERR unknown command '" + name + "'");
  else if (request.words.size() < found->fewest_words || request.words.size() > found->most_words)
    replies.add_error("ERR wrong number of arguments for '" + name + "'");
  else
    found->run(database, request, replies);
}

std::span<const Command> commands() noexcept { return version_1; }

MOULT_UPDATABLE void execute(Database& database, const Request& request, Replies& replies) {
  run_command(commands(), database, request, replies);
  database.requests.fetch_add(1, std::memory_order_relaxed);
}

std::optional<std::int64_t> incremented(const Value* value, Replies& replies) {
  const std::optional<std::int64_t> number = value == nullptr ? 0 : parse_integer(value->bytes());
  if (number && *number < std::numeric_limits<std::int64_t>::max()) {
    replies.add_integer(*number + 1);
    return *number + 1;
  }
  replies.add_error(number ? "ERR increment or decrement would overflow"
                           : "ERR value is not an integer or out of range");
  return std::nullopt;
}

void add_value(Replies& replies, const std::optional<Value>& value) {
  value ? replies.add_bulk(value->bytes()) : replies.add_null();
}

}  // namespace key_value
