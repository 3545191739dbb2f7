// The values of one field that was added to a class, by the addresses of the objects.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/address.hpp"
#include "base/code_record.hpp"
#include "base/guarded.hpp"
#include "moult/detail/additions.hpp"
#include "moult/detail/opaque.hpp"

namespace moult::internal {

class Pool;

/// Values that are in no table any more, and are destroyed with this; the first one first.
class LooseValues final {
 public:
  LooseValues() = default;
  LooseValues(LooseValues&& other) noexcept;
  LooseValues& operator=(LooseValues&& other) = delete;
  ~LooseValues() { destroy(); }

  void add(detail::SideValue& value) noexcept;
  void destroy() noexcept;

 private:
  detail::SideValue* first_ = nullptr;
  detail::SideValue** end_ = &first_;
};

/// Safe for several threads. There as long as the process, since handles lead to it.
class SideTable final : public detail::OpaqueSideTable {
 public:
  /// `name` is for messages: "the field origin of Data". `maker` is something in the module that `make` is from, and may
  /// be null where there is none.
  SideTable(std::string name, detail::MakeValue make, const void* maker = nullptr);
  /// Of one that was never published.
  ~SideTable() { take_all(); }
  SideTable(const SideTable&) = delete;
  SideTable& operator=(const SideTable&) = delete;

  const std::string& name() const noexcept { return name_; }
  /// Whether every object has a value, made at its first use.
  bool makes_values() const noexcept { return static_cast<bool>(make_); }
  /// How many values there are; exact where no thread adds one or deletes an object.
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

  /// Null when the object has none.
  detail::SideValue* find(const void* object) const noexcept;
  /// Makes one if there is none. Throws what the maker throws; Error: not_found, unsupported; std::bad_alloc.
  detail::SideValue& value_of(void* object);
  /// The value that is in the table afterwards: another one where the object has one. Throws Error (unsupported) when
  /// the object begins no live slot of a pool; std::bad_alloc.
  detail::SideValue& add(const void* object, std::unique_ptr<detail::SideValue> fresh);

  /// Takes the object's value out, if there is one.
  detail::SideValue* take(const void* object) noexcept;
  /// The same if it is the one of that number.
  detail::SideValue* take(const void* object, std::uint64_t number) noexcept;
  LooseValues take_all() noexcept;

  /// The code that makes and destroys values is on record from its first use on. No more of what this stop has added:
  /// it is undone.
  void forget_code() noexcept;

  /// The tables that may hold values, the newest first; made known once, by `publish`.
  static SideTable* first() noexcept;
  SideTable* next() const noexcept { return next_; }
  void publish() noexcept;

  /// Code that may hold references to values: that of a module which asked for the field.
  void add_user(const CodeRange& module);
  std::vector<CodeRange> users() const;

 private:
  /// Chains of values by the hash of the address.
  struct Shard {
    std::vector<detail::SideValue*> chains;
    std::size_t count = 0;

    detail::SideValue** place_of(const void* object) noexcept;
    void make_room();
  };
  static constexpr std::size_t shard_count = 32;

  Guarded<Shard>& shard_of(const void* object) const noexcept;
  void note_code(const void* place);
  void note_code_of(const detail::SideValue& value);
  template <class Matches>
  detail::SideValue* take_if(const void* object, Matches&& matches) noexcept;

  std::string name_;
  detail::MakeValue make_;
  std::atomic<std::size_t> count_{0};
  mutable std::array<Guarded<Shard>, shard_count> shards_;
  Guarded<std::vector<CodeRange>> users_;
  Guarded<std::vector<std::pair<const void*, CodeRecord>>> code_;
  std::atomic<const void*> last_code_{nullptr};  ///< mostly that of the next value
  SideTable* next_ = nullptr;
};

/// Every value of an object that dies.
LooseValues take_values(const void* slot) noexcept;

}  // namespace moult::internal
