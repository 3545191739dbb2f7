// All patched entries of the process, with the slots and the pages that they need.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/address.hpp"
#include "code/code_pages.hpp"
#include "code/entry.hpp"
#include "code/entry_plan.hpp"
#include "code/near_pool.hpp"

namespace moult::internal {

/// Not safe for several threads: the owner locks. Entries and redirections stay at their addresses: code in a stopped
/// program writes them without a lock.
class PatchTable final {
 public:
  PatchTable(const AddressSpace& space, NearPool::OnRegion on_region)
      : slots_(space, std::move(on_region)), pages_(space) {}

  /// Copies `range` as it was before any patch.
  std::vector<std::uint8_t> original_bytes(CodeRange range) const;

  /// Prepares the jump from `function`, planned as `plan`, to `replacement`; `original` are the bytes at plan.place.
  /// Throws Error, having changed nothing: no_room, system, and
  /// invalid_argument: `replacement` leads back to `function`;
  /// unsupported_code: the bytes belong to another patched function.
  Redirection& add(const std::string& name, CodeAddress function, const EntryPlan& plan,
                   std::span<const std::uint8_t> original, CodeAddress replacement);
  /// Throws Error (superseded) if a change of the function by an update with an id greater than `update` is applied.
  /// `update` 0 is never superseded.
  void refuse_superseded(const std::string& name, CodeAddress function, std::uint64_t update) const;
  /// Removes a jump that is not applied.
  void remove(Redirection& redirection) noexcept;

  /// The jumps from `function` that were ever applied, those from their targets, and so on.
  std::vector<const Redirection*> committed_from(CodeAddress function) const;

  /// The way of `module` to the original of `function`; null if it has none.
  const OriginalWay* original_way(CodeAddress function, const void* module, CodeAddress compiled) const;
  /// Adds one, which then follows every change of the function. `way` has no target yet.
  const OriginalWay& add_original_way(CodeAddress function, std::unique_ptr<OriginalWay> way);

  const std::map<CodeAddress, Entry>& all() const noexcept { return entries_; }
  NearPool& slots() noexcept { return slots_; }
  CodePages& pages() noexcept { return pages_; }
  std::size_t entries() const noexcept { return entries_.size(); }

 private:
  Entry& entry_for(const std::string& name, CodeAddress function, const EntryPlan& plan,
                   std::span<const std::uint8_t> original);
  void refuse_circle(const std::string& name, CodeAddress function, CodeAddress replacement) const;
  void refuse_overlap(const std::string& name, CodeAddress function, CodeRange overwritten) const;
  void forget_if_unused(const Entry& entry) noexcept;

  std::map<CodeAddress, Entry> entries_;  ///< by function
  /// By function, also of functions without an entry: the first of a list.
  std::map<CodeAddress, std::unique_ptr<OriginalWay>> originals_;
  NearPool slots_;
  CodePages pages_;
};

}  // namespace moult::internal
