// Version 2 of the server, for the updates that lead to it: entries expire, and know how often they were written.
//
// New commands are EXPIRE and TTL; INFO says which version runs, and with "INFO KEY name" what is known of a key.
// An entry that has expired is nobody's any more, and goes when its key is next used.
#pragma once

#include <moult/moult.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "commands.hpp"
#include "entry_v2.hpp"
#include "snapshot.hpp"

namespace key_value {

/// The program's containers hold what they take for entries of version 1.
static Entry_v2& as_version_2(Entry& entry) { return reinterpret_cast<Entry_v2&>(entry); }
static std::unique_ptr<Entry> make_entry(Value value) {
  return std::unique_ptr<Entry>(reinterpret_cast<Entry*>(new Entry_v2(std::move(value), 1)));
}

/// The shard of a key, locked, and the key's entry, unless there is none or it has expired.
class Found final {
 public:
  Found(Database& database, std::string_view key)
      : shard_(database.store.shard_of(key)), lock_(shard_.mutex), at_(shard_.entries.find(key)) {
    if (is_there() && entry().has_expired()) erase();
  }

  bool is_there() const { return at_ != shard_.entries.end(); }
  Entry_v2& entry() { return as_version_2(*at_->second); }
  void erase() {
    shard_.entries.erase(at_);
    at_ = shard_.entries.end();
  }
  /// The entry gets the value if it is there, else it is made.
  void write(std::string_view key, Value value) {
    if (is_there())
      entry().set_value(std::move(value));
    else
      shard_.entries.emplace(key, make_entry(std::move(value)));
  }

 private:
  Shard& shard_;
  std::unique_lock<std::mutex> lock_;
  Entries::iterator at_;
};

/// Seconds until then, begun ones counted; -1: never.
static std::int64_t seconds_until(Clock::time_point then) {
  return then == never ? -1 : std::chrono::ceil<std::chrono::seconds>(then - Clock::now()).count();
}

namespace version_2 {

static void get(Database& database, const Request& request, Replies& replies) {
  std::optional<Value> value;
  if (Found found(database, request.words[1]); found.is_there()) value = found.entry().value();
  add_value(replies, value);
}

static void set(Database& database, const Request& request, Replies& replies) {
  Value value(request.words[2]);
  {
    Found found(database, request.words[1]);
    if (found.is_there()) found.entry().set_expires(never);
    found.write(request.words[1], std::move(value));
  }
  replies.add_status("OK");
}

static void del(Database& database, const Request& request, Replies& replies) {
  std::int64_t count = 0;
  for (const std::string_view key : std::span(request.words).subspan(1)) {
    Found found(database, key);
    if (!found.is_there()) continue;
    found.erase();
    ++count;
  }
  replies.add_integer(count);
}

static void incr(Database& database, const Request& request, Replies& replies) {
  Found found(database, request.words[1]);
  if (const std::optional<std::int64_t> number =
          incremented(found.is_there() ? &found.entry().value() : nullptr, replies))
    found.write(request.words[1], Value(std::to_string(*number)));
}

static void expire(Database& database, const Request& request, Replies& replies) {
  constexpr std::int64_t most_seconds = 100LL * 365 * 24 * 3600;
  const std::optional<std::int64_t> seconds = parse_integer(request.words[2]);
  if (!seconds || *seconds > most_seconds) {
    replies.add_error("ERR value is not an integer or out of range");
    return;
  }
  Found found(database, request.words[1]);
  const bool is_there = found.is_there();
  if (is_there && *seconds <= 0) found.erase();
  if (found.is_there()) found.entry().set_expires(Clock::now() + std::chrono::seconds(*seconds));
  replies.add_integer(is_there ? 1 : 0);
}

static void ttl(Database& database, const Request& request, Replies& replies) {
  Found found(database, request.words[1]);
  replies.add_integer(found.is_there() ? seconds_until(found.entry().expires()) : -2);
}

static void info_of_key(Database& database, std::string_view key, Replies& replies) {
  Found found(database, key);
  if (!found.is_there()) {
    replies.add_null();
    return;
  }
  replies.add_bulk("# Key\r\nversion:" + std::to_string(found.entry().version()) +
                   "\r\nttl:" + std::to_string(seconds_until(found.entry().expires())) + "\r\n");
}

static void info(Database& database, const Request& request, Replies& replies) {
  if (request.words.size() == 3 && (request.words[1] == "KEY" || request.words[1] == "key")) {
    info_of_key(database, request.words[2], replies);
    return;
  }
  replies.add_bulk("# Server\r\nversion:2\r\nrequests:" + std::to_string(database.requests) +
                   "\r\n# Keyspace\r\nkeys:" + std::to_string(database.store.size()) + "\r\n");
}

/// The new commands, and of the others those that are not of this version.
static std::vector<Command> all_commands() {
  std::vector<Command> all = {
      {"GET", 2, 2, get}, {"SET", 3, 3, set},       {"DEL", 2, SIZE_MAX, del},   {"INCR", 2, 2, incr},
      {"TTL", 2, 2, ttl}, {"EXPIRE", 3, 3, expire}, {"INFO", 1, SIZE_MAX, info},
  };
  for (const Command& old : commands())
    if (std::ranges::find(all, old.name, &Command::name) == all.end()) all.push_back(old);
  return all;
}

static void execute(Database& database, const Request& request, Replies& replies) {
  static const std::vector<Command> all = all_commands();
  run_command(all, database, request, replies);
  database.requests.fetch_add(1, std::memory_order_relaxed);  // last, as in version 1
}

static void save_entry(EntryRequests& requests, const Entry& entry) {
  const auto& now = reinterpret_cast<const Entry_v2&>(entry);
  if (now.has_expired()) return;
  requests.add("SET", now.value().bytes());
  if (now.expires() != never) requests.add("EXPIRE", std::to_string(seconds_until(now.expires())));
}

}  // namespace version_2

/// The functions and the entries in one stop, in which no command is in progress. Under load that is so too seldom to
/// wait for it: new commands are kept waiting until those in progress have ended, which takes no longer than they do.
/// Where one does not end the update gives up for a while before clients notice, and after some tries for good.
///
/// `Conversion` is one of moult's conversions of Entry to Entry_v2.
template <class Conversion>
class VersionUpdate : public Conversion {
 public:
  template <class... Arguments>
  explicit VersionUpdate(Arguments&&... arguments) : Conversion(std::forward<Arguments>(arguments)...) {
    this->set_patience({.max_tries = 1, .sleep_time = std::chrono::milliseconds(50), .max_postponements = 2});
  }

  void prepare() override {
    Conversion::prepare();
    functions_.prepare();
  }
  void preupdate_setup() override { moult::setup_force_quiescence({execute, save_entry}, this->patience()); }
  bool wait_alterability() override {
    return moult::wait_force_quiescence(this->patience()) && Conversion::check_alterability();
  }
  bool check_alterability() override {
    return moult::check_force_quiescence(this->patience()) && Conversion::check_alterability();
  }
  void clean_failed_alterability() override { moult::clean_failed_force_quiescence(); }
  void apply() override {
    Conversion::apply();
    functions_.apply();
  }

 private:
  moult::SafeRedefineUpdate functions_{
      "commands",
      {moult::Redefinition(execute, version_2::execute), moult::Redefinition(save_entry, version_2::save_entry)}};
};

}  // namespace key_value
