// What the server keeps: entries by key, in shards with a lock each.
#pragma once

#include <moult/moult.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "value.hpp"

namespace key_value {

/// What is known of one key. It has 24 bytes more than it needs, for what later versions know.
class Entry : public moult::Updatable<Entry, 24> {
 public:
  explicit Entry(Value value) noexcept : value_(std::move(value)) {}
  const Value& value() const noexcept { return value_; }
  void set_value(Value value) noexcept { value_ = std::move(value); }

 private:
  Value value_;
};

struct KeyHash {
  using is_transparent = void;  // a key in a request is looked up where it lies
  std::size_t operator()(std::string_view key) const noexcept { return std::hash<std::string_view>()(key); }
};
using Entries = std::unordered_map<std::string, std::unique_ptr<Entry>, KeyHash, std::equal_to<>>;

struct Shard {
  std::mutex mutex;
  Entries entries;
};

class Store final {
 public:
  static constexpr std::size_t shard_count = 256;  // many more than threads, so that they seldom meet

  Shard& shard_of(std::string_view key) noexcept { return shards_[KeyHash()(key) >> 56]; }
  std::array<Shard, shard_count>& shards() noexcept { return shards_; }

  /// How many keys there are; while others write, as of no single moment.
  std::size_t size() {
    std::size_t count = 0;
    for (Shard& shard : shards_) {
      const std::lock_guard lock(shard.mutex);
      count += shard.entries.size();
    }
    return count;
  }

 private:
  std::array<Shard, shard_count> shards_;
};
static_assert(Store::shard_count == 1 << 8, "a shard is chosen by the hash's first eight bits");

}  // namespace key_value

template <>
inline constexpr bool moult::is_relocatable<key_value::Entry> = moult::is_relocatable<key_value::Value>;
