// Entries of version 2: they expire, and know how often they were written.
#pragma once

#include <moult/moult.hpp>

#include <chrono>
#include <cstdint>
#include <utility>

#include "store.hpp"

namespace key_value {

using Clock = std::chrono::steady_clock;
constexpr Clock::time_point never = Clock::time_point::max();

class Entry_v2 : public moult::Updatable<Entry_v2, 8> {
 public:
  Entry_v2(Value value, std::uint64_t version) noexcept : value_(std::move(value)), version_(version) {}

  const Value& value() const noexcept { return value_; }
  std::uint64_t version() const noexcept { return version_; }
  Clock::time_point expires() const noexcept { return expires_; }
  bool has_expired() const noexcept { return expires_ != never && expires_ <= Clock::now(); }

  void set_value(Value value) noexcept {
    value_ = std::move(value);
    ++version_;
  }
  void set_expires(Clock::time_point expires) noexcept { expires_ = expires; }

 private:
  Value value_;  // where version 1 has it
  std::uint64_t version_;
  Clock::time_point expires_ = never;
};
static_assert(sizeof(Entry_v2) <= sizeof(Entry) + 24, "it has to fit where an Entry with its reserve is");

/// How often an entry was written before the update nobody knows.
struct ToVersion2 {
  Entry_v2 operator()(const Entry& old) const noexcept { return {old.value(), 1}; }
};
struct ToVersion1 {
  Entry operator()(const Entry_v2& now) const noexcept { return Entry(now.value()); }
};

}  // namespace key_value

template <>
inline constexpr bool moult::is_relocatable<key_value::Entry_v2> = moult::is_relocatable<key_value::Value>;
