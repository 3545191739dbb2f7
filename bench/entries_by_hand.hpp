// The entries of the key-value server, converted by hand: one loop makes the new values, which may fail, and one moves
// them into place.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench.hpp"
#include "key_value_server/entry_v2.hpp"

namespace bench {

/// Entries as in a pool, and memory for new values.
class EntriesByHand final {
 public:
  static constexpr std::size_t slot_size = 48;

  explicit EntriesByHand(std::size_t count)
      : count_(count), slots_(new std::byte[count_ * slot_size]), beside_(new std::byte[count_ * sizeof(New)]()) {
    for (std::size_t i = 0; i < count_; ++i)
      ::new (slot(i)) Old(key_value::Value("value " + std::to_string(i / 2) + ".0"));
  }

  /// Milliseconds, with that many threads.
  double convert(std::size_t threads) {
    const double taken = seconds_of([this, threads] {
      in_threads(threads, [this](std::size_t i) {
        ::new (beside(i)) New(key_value::ToVersion2()(*std::launder(reinterpret_cast<Old*>(slot(i)))));
      });
      in_threads(threads, [this](std::size_t i) {
        New& made = *std::launder(reinterpret_cast<New*>(beside(i)));
        std::launder(reinterpret_cast<Old*>(slot(i)))->~Old();
        ::new (slot(i)) New(std::move(made));
        made.~New();  // NOLINT(bugprone-use-after-move): what is left of it has a destructor too
      });
    });
    for (std::size_t i = 0; i < count_; ++i) {
      New& now = *std::launder(reinterpret_cast<New*>(slot(i)));
      Old old = key_value::ToVersion1()(now);
      now.~New();
      ::new (slot(i)) Old(std::move(old));
    }
    return taken * 1e3;
  }

 private:
  using Old = key_value::Entry;
  using New = key_value::Entry_v2;

  std::byte* slot(std::size_t index) const { return slots_.get() + index * slot_size; }
  std::byte* beside(std::size_t index) const { return beside_.get() + index * sizeof(New); }

  template <class Act>
  void in_threads(std::size_t count, const Act& act) const {
    std::vector<std::jthread> threads;
    for (std::size_t part = 0; part < count; ++part)
      threads.emplace_back([this, &act, part, count] {
        for (std::size_t i = count_ * part / count; i < count_ * (part + 1) / count; ++i) act(i);
      });
  }

  std::size_t count_;
  std::unique_ptr<std::byte[]> slots_;
  std::unique_ptr<std::byte[]> beside_;
};

}  // namespace bench
