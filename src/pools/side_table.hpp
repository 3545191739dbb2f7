// The values of one field that was added to a class, by the objects' addresses.
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

/// Values taken out of their tables, destroyed with this list in the order of its elements.
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

/// Safe in any thread. A published table lives as long as the process, because handles refer to it.
class SideTable final : public detail::OpaqueSideTable {
 public:
  /// `name` is for messages: "the field origin of Data". `maker` is any address in the module that `make` comes from;
  /// null where there is none.
  SideTable(std::string name, detail::MakeValue make, const void* maker = nullptr);
  /// Only for a table that was never published.
  ~SideTable() { take_all(); }
  SideTable(const SideTable&) = delete;
  SideTable& operator=(const SideTable&) = delete;

  const std::string& name() const noexcept { return name_; }
  /// Whether every object has a value, made at first use.
  bool makes_values() const noexcept { return static_cast<bool>(make_); }
  /// The number of values; exact while no thread adds one or deletes an object.
  std::size_t count() const noexcept { return count_.load(std::memory_order_relaxed); }

  /// Null when the object has none.
  detail::SideValue* find(const void* object) const noexcept;
  /// Makes a value if there is none. Throws what the maker throws; Error: not_found, unsupported; std::bad_alloc.
  detail::SideValue& value_of(void* object);
  /// Returns the object's value afterwards: the one that it had, if any, or else `value`. Throws Error (unsupported)
  /// when no live slot of a pool begins at the address; std::bad_alloc.
  detail::SideValue& add(const void* object, std::unique_ptr<detail::SideValue> value);

  /// Takes the object's value out; null when there is none.
  detail::SideValue* take(const void* object) noexcept;
  /// The same, if the value has that number.
  detail::SideValue* take(const void* object, std::uint64_t number) noexcept;
  LooseValues take_all() noexcept;

  /// The code that makes and destroys values is recorded at its first use. This removes the records that the current
  /// stop has added, because the step that added them is being undone.
  void forget_code() noexcept;

  /// The list of tables that may hold values, newest first. `publish` adds a table, once.
  static SideTable* first() noexcept;
  SideTable* next() const noexcept { return next_; }
  void publish() noexcept;

  /// The code of a module that uses the field, and may hold references to values.
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
  std::atomic<const void*> last_code_{nullptr};  ///< the next value mostly has the same
  SideTable* next_ = nullptr;
};

/// Takes out all values of a dying object.
LooseValues take_values(const void* slot) noexcept;

}  // namespace moult::internal
