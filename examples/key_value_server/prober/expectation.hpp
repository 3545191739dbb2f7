// What one client knows of keys that are its own, so that it can tell of every reply whether it is right. No I/O here.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "reply.hpp"

namespace key_value {

/// The key `probe:N`, and the value that it has when it was written so many times.
std::string probe_key(std::size_t number);
std::string probe_value(std::size_t number, std::uint64_t writes);

/// The keys first, first + step, ... below `count`, which nobody else writes. At first each has its value of no write.
class Expectation final {
 public:
  Expectation(std::size_t first, std::size_t step, std::size_t count);

  /// The next request, as bytes: whatever comes, of any key.
  std::string next_request();
  /// What is wrong with the reply to it; empty when it is right. A server that knows EXPIRE once must know it ever
  /// after.
  std::string check(const Reply& reply);
  /// There was no reply: whether the request was carried out is not known.
  void lose();

  std::uint64_t replies_of_version(int version) const { return version == 1 ? replies_of_1_ : replies_of_2_; }

 private:
  enum class Operation { get, set, del, incr, expire, ttl };
  struct Key {
    std::uint64_t writes = 0;
    std::int64_t counter = 0;  ///< of `count:N`
    bool is_there = true;
    bool expires = false;
    bool is_known = true;  ///< else what comes is taken for right
  };

  std::string request_for(Operation operation) const;
  bool is_right(const Reply& reply);
  bool is_right_get(const Reply& reply);
  bool is_right_ttl(const Reply& reply) const;
  bool is_of_version_2(const Reply& reply);
  std::size_t number() const { return first_ + at_ * step_; }
  Key& key() { return keys_[at_]; }

  std::size_t first_;
  std::size_t step_;
  std::vector<Key> keys_;
  std::mt19937_64 random_;
  Operation operation_ = Operation::get;
  std::size_t at_ = 0;
  std::uint64_t replies_of_1_ = 0;
  std::uint64_t replies_of_2_ = 0;
};

}  // namespace key_value
