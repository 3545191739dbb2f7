// Code pages made writable for a while.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/address.hpp"
#include "platform/memory.hpp"

namespace moult::internal {

/// Neighbouring pages of one mapping.
struct PageGroup {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  Protection protection{};  ///< what they have now

  bool operator==(const PageGroup&) const = default;
};

/// The pages that `places` touch. Pages of one mapping that lie near each other become one group with those between
/// them: every change of protection splits a mapping, and a process has only so many (vm.max_map_count, 65530).
/// Throws Error (system) for a place that is not mapped.
std::vector<PageGroup> group_pages(std::span<const CodeRange> places, const std::vector<Mapping>& mappings);

/// Counts who wants which page writable, so that the last one to let go gives it its protection back.
/// Not safe for several threads: its owner locks.
class CodePages final {
 public:
  explicit CodePages(const AddressSpace& space) : space_(space) {}

  /// Makes the pages of `places` writable, and tells which pages are to be closed again. They stay readable and
  /// executable: other threads run on. Throws Error (system), having changed nothing.
  std::vector<std::uintptr_t> open(std::span<const CodeRange> places);
  /// Each page was returned by an open and is closed once for it; sorted.
  void close(std::span<const std::uintptr_t> pages) noexcept;

  std::size_t open_pages() const noexcept { return pages_.size(); }

 private:
  struct Page {
    std::size_t users = 0;
    Protection before{};
  };

  void open_group(const PageGroup& group, std::vector<std::uintptr_t>& opened);

  const AddressSpace& space_;
  std::map<std::uintptr_t, Page> pages_;
};

}  // namespace moult::internal
