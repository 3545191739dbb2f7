#include "expectation.hpp"

#include <iterator>
#include <utility>

#include "../protocol.hpp"

namespace key_value {
namespace {

constexpr std::int64_t expiry_seconds = 1'000'000;  // far beyond the end of any run

std::string counter_key(std::size_t number) { return "count:" + std::to_string(number); }

}  // namespace

std::string probe_key(std::size_t number) { return "probe:" + std::to_string(number); }

std::string probe_value(std::size_t number, std::uint64_t writes) {
  return "value " + std::to_string(number) + "." + std::to_string(writes);
}

Expectation::Expectation(std::size_t first, std::size_t step, std::size_t count)
    : first_(first), step_(step), keys_((count - first + step - 1) / step), random_(first) {}

std::string Expectation::next_request() {
  constexpr Operation mixed[] = {
      Operation::get, Operation::get, Operation::get,  Operation::get,    Operation::get, Operation::get,
      Operation::set, Operation::set, Operation::incr, Operation::expire, Operation::ttl, Operation::del,
  };
  operation_ = mixed[random_() % std::size(mixed)];
  at_ = random_() % keys_.size();
  return request_for(operation_);
}

std::string Expectation::request_for(Operation operation) const {
  const std::string key = probe_key(number());
  switch (operation) {
    case Operation::get: return bytes_of({{"GET", key}});
    case Operation::set: return bytes_of({{"SET", key, probe_value(number(), keys_[at_].writes + 1)}});
    case Operation::del: return bytes_of({{"DEL", key}});
    case Operation::incr: return bytes_of({{"INCR", counter_key(number())}});
    case Operation::expire: return bytes_of({{"EXPIRE", key, std::to_string(expiry_seconds)}});
    case Operation::ttl: break;
  }
  return bytes_of({{"TTL", key}});
}

std::string Expectation::check(const Reply& reply) {
  const std::string request = request_for(operation_);
  if (is_right(reply)) return {};
  std::string words;
  for (const std::string_view word : parse_request(request).request.words) words.append(word).append(" ");
  const Key& known = key();
  return words + "was answered with " + describe(reply) + ", where " + probe_key(number()) +
         (known.is_there ? " is " + probe_value(number(), known.writes) : " is deleted") +
         (known.expires ? " and expires" : "");
}

void Expectation::lose() { key().is_known = false; }

bool Expectation::is_right(const Reply& reply) {
  Key& known = key();
  switch (operation_) {
    case Operation::get: return is_right_get(reply);
    case Operation::set:
      ++known.writes;
      known.is_there = true;
      known.expires = false;
      known.is_known = true;
      return reply.is(Reply::Kind::status, "OK");
    case Operation::del: {
      const bool was_there = std::exchange(known.is_there, false);
      known.expires = false;
      return reply.kind == Reply::Kind::integer && (!known.is_known || reply.is(was_there ? 1 : 0));
    }
    case Operation::incr:
      if (!known.is_known) known.counter = reply.number - 1;
      return reply.is(++known.counter);
    case Operation::expire:
      if (!is_of_version_2(reply)) return replies_of_2_ == 0;
      known.expires = known.is_there;
      return !known.is_known || reply.is(known.is_there ? 1 : 0);
    case Operation::ttl: break;
  }
  return is_of_version_2(reply) ? !known.is_known || is_right_ttl(reply) : replies_of_2_ == 0;
}

bool Expectation::is_right_get(const Reply& reply) {
  const Key& known = key();
  if (!known.is_known) return true;
  return known.is_there ? reply.is(Reply::Kind::bulk, probe_value(number(), known.writes))
                        : reply.kind == Reply::Kind::null;
}

bool Expectation::is_right_ttl(const Reply& reply) const {
  const Key& known = keys_[at_];
  if (!known.is_there) return reply.is(-2);
  if (!known.expires) return reply.is(-1);
  return reply.kind == Reply::Kind::integer && reply.number > 0 && reply.number <= expiry_seconds;
}

/// Of a reply to a command of version 2. Any other error is one of that version, and wrong there.
bool Expectation::is_of_version_2(const Reply& reply) {
  const bool is_unknown = reply.kind == Reply::Kind::error && reply.text.starts_with("ERR unknown command");
  ++(is_unknown ? replies_of_1_ : replies_of_2_);
  return !is_unknown;
}

}  // namespace key_value
