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

/// A run of pages of one mapping.
struct PageGroup {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  Protection protection{};  ///< the present protection

  bool operator==(const PageGroup&) const = default;
};

/// The pages that hold `places`. Pages of one mapping that are close to each other become one group, with the pages
/// between them. Every change of protection splits a mapping, and a process may have only a limited number of mappings
/// (vm.max_map_count, 65530). Throws Error (system) if a place is not mapped.
std::vector<PageGroup> group_pages(std::span<const CodeRange> places, const std::vector<Mapping>& mappings);

/// Counts the users of each writable page. The last user to close a page restores its protection. Not safe for several
/// threads: the owner locks.
class CodePages final {
 public:
  explicit CodePages(const AddressSpace& space) : space_(space) {}

  /// Makes the pages of `places` writable and returns the pages to close later. The pages stay readable and executable,
  /// since other threads run on. Throws Error (system), having changed nothing.
  std::vector<std::uintptr_t> open(std::span<const CodeRange> places);
  /// Each page was returned by `open` and is closed once for it. Sorted.
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
